import { findProgram } from "../../support/find_program.ts";
import { type Measurement, METHOD_PATH, quantile, REQUEST_BODY, type Shape } from "./load.ts";

/** The path of h2load (Debian: nghttp2-client), or undefined where it is not installed. */
export function findH2load(): string | undefined {
  return findProgram("h2load");
}

/** Makes `calls` calls with h2load. Throws when one of them fails. */
export async function measureWithH2load(
  program: string,
  port: number,
  shape: Shape,
  calls: number,
): Promise<Measurement> {
  const folder = await Deno.makeTempDir({ prefix: "bench-transport-" });
  try {
    await Deno.writeFile(`${folder}/body`, REQUEST_BODY);
    const { stdout } = await new Deno.Command(program, {
      args: [
        ...["-n", String(calls), "-c", String(shape.connections), "-m", String(shape.streams)],
        ...["-d", `${folder}/body`, "-H", "content-type: application/grpc", "-H", "te: trailers"],
        `--log-file=${folder}/log`,
        `http://127.0.0.1:${port}${METHOD_PATH}`,
      ],
    }).output();
    const output = new TextDecoder().decode(stdout);
    const callsPerSecond = Number(/([\d.]+) req\/s/.exec(output)?.[1]);
    if (!output.includes(` ${calls} succeeded`)) throw new Error(`Cannot measure: calls failed\n${output}`);
    const log = await Deno.readTextFile(`${folder}/log`);
    // Third column: microseconds.
    const latencies = Float64Array.from(
      log.trimEnd().split("\n"),
      (line) => Number(line.split("\t")[2]) / 1000,
    );
    latencies.sort();
    return { callsPerSecond, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
