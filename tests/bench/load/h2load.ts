import { findProgram } from "../../support/find_program.ts";
import type { Load, Measurement } from "./load.ts";
import { encodeRequests, pathOf } from "./requests.ts";
import { percentiles } from "../report/statistics.ts";
import { CpuMeter } from "./cpu_meter.ts";

/** A run that tells how many calls the measured one has to make. */
const TRIAL_CALLS = 2_000;
/** What gRPC puts before a message. Source: grpc/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message. */
const MESSAGE_PREFIX_BYTES = 5;

/** The path of h2load (Debian: nghttp2-client), or undefined where it is not installed. */
export function findH2load(): string | undefined {
  return findProgram("h2load");
}

/**
 * Takes a measurement with h2load, which sends one and the same request over and over: only good for what is not
 * joined into one flight, and on one replica. It knows HTTP's status alone, so an answer is told by its bytes: all calls together have
 * to bring at least what the expectation says for each. An error of gRPC brings none.
 */
export async function measureWithH2load(program: string, load: Load): Promise<Measurement> {
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-bench-" });
  try {
    const [message] = encodeRequests({ ...load.requests, count: 1 });
    await Deno.writeFile(`${folder}/request`, prefixed(message!));
    const trial = await run(program, folder, load, TRIAL_CALLS);
    const calls = Math.max(TRIAL_CALLS, Math.round(trial.callsPerSecond * load.measuredMs / 1000));
    const cpu = new CpuMeter(load.watched);
    const measured = await run(program, folder, load, calls);
    return { ...measured, cpuUs: cpu.perCallUs(calls) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(
  program: string,
  folder: string,
  load: Load,
  calls: number,
): Promise<Omit<Measurement, "cpuUs">> {
  const { addresses: [address], shape, requests, expectation } = load;
  const log = `${folder}/log`;
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [
      `--requests=${calls}`,
      `--clients=${shape.connections}`,
      `--max-concurrent-streams=${shape.streams}`,
      `--data=${folder}/request`,
      "--header=content-type: application/grpc",
      "--header=te: trailers",
      `--log-file=${log}`,
      `http://${address!.hostname}:${address!.port}${pathOf(requests.method)}`,
    ],
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout);
  if (!success) {
    throw new Error(`Cannot run h2load: ${new TextDecoder().decode(stderr).trim() || output.trim()}`);
  }
  const latenciesMs = parseLatencies(await Deno.readTextFile(log));
  await Deno.remove(log);
  const [p50Ms, p99Ms, p999Ms] = percentiles(latenciesMs, [50, 99, 99.9]);
  const dataBytes = numberIn(output, /\((\d+)\) data$/m);
  const leastBytes = calls * (MESSAGE_PREFIX_BYTES + expectation.minMessageBytes);
  const succeeded = numberIn(output, /^requests:.* (\d+) succeeded/m);
  return {
    calls,
    callsPerSecond: numberIn(output, /^finished in .*, ([\d.]+) req\/s/m),
    p50Ms,
    p99Ms,
    p999Ms,
    failures: {
      ...(succeeded < calls && { "no HTTP status of 200": calls - succeeded }),
      ...(dataBytes < leastBytes &&
        { [`responses of ${dataBytes} bytes, not ${leastBytes}, for all calls`]: calls }),
    },
  };
}

/** The third column of each row: microseconds until the end of the response. */
function parseLatencies(log: string): number[] {
  return log.trimEnd().split("\n").map((row) => Number(row.split("\t")[2]) / 1000);
}

function numberIn(output: string, pattern: RegExp): number {
  const match = pattern.exec(output);
  if (match === null) throw new Error(`Cannot read what h2load says: expected ${pattern} in ${output}`);
  return Number(match[1]);
}

function prefixed(message: Uint8Array): Uint8Array {
  const data = new Uint8Array(MESSAGE_PREFIX_BYTES + message.length);
  new DataView(data.buffer).setUint32(1, message.length);
  data.set(message, MESSAGE_PREFIX_BYTES);
  return data;
}
