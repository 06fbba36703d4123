/**
 * Compares the transports: the same calls against each, in turn, several rounds of it, each server in a process of
 * its own. Prints medians and their ratios; other work on the machine moves the numbers more than the ratios.
 */
import { printLine } from "../../support/print_line.ts";
import type { Measurement, Shape } from "./load.ts";
import { measureWithDeno } from "./load_deno.ts";
import { findH2load, measureWithH2load } from "./load_h2load.ts";

const ROUNDS = 3;
/** What one measurement should take, by the rate of the warm-up. */
const MEASURED_SECONDS = 2;
const WARM_UP_CALLS = 5_000;

const TRANSPORTS = ["grpc_js", "native"] as const;
type Transport = typeof TRANSPORTS[number];

const SHAPES: readonly Shape[] = [{ connections: 8, streams: 16 }, { connections: 50, streams: 1 }];

const h2load = findH2load();

function measure(port: number, shape: Shape, calls: number): Promise<Measurement> {
  return h2load === undefined
    ? measureWithDeno(port, shape, calls)
    : measureWithH2load(h2load, port, shape, calls);
}

/** A server in a process of its own. */
class Serving implements AsyncDisposable {
  private constructor(readonly port: number, readonly process: Deno.ChildProcess) {}

  static async start(transport: Transport): Promise<Serving> {
    const serve = decodeURIComponent(new URL("serve.ts", import.meta.url).pathname);
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--permission-set=test", serve, transport],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`Cannot start ${transport}: it ended, see above`);
      text += value;
    }
    return new Serving(Number(text), process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.status;
  }
}

/** One round of one transport. */
async function run(transport: Transport, shape: Shape): Promise<Measurement> {
  await using serving = await Serving.start(transport);
  await measure(serving.port, shape, WARM_UP_CALLS);
  const warm = await measure(serving.port, shape, WARM_UP_CALLS);
  return await measure(serving.port, shape, Math.ceil(warm.callsPerSecond * MEASURED_SECONDS));
}

/** The measurement in the middle by its rate. */
function middle(measurements: readonly Measurement[]): Measurement {
  return measurements.toSorted((a, b) => a.callsPerSecond - b.callsPerSecond)[measurements.length >> 1]!;
}

function row(shape: Shape, name: string, { callsPerSecond, p50Ms, p99Ms }: Measurement): string {
  const cells = [
    `${shape.connections}x${shape.streams}`,
    name.padEnd(8),
    callsPerSecond.toFixed(0).padStart(9),
  ];
  return [...cells, p50Ms.toFixed(2).padStart(8), p99Ms.toFixed(2).padStart(8)].join("  ");
}

printLine(
  `Load generator: ${h2load ?? "Deno (install h2load for higher rates)"}; median of ${ROUNDS} rounds`,
);
printLine("load  transport  calls/s   p50 ms   p99 ms");
for (const shape of SHAPES) {
  const measurements: Record<Transport, Measurement[]> = { "grpc_js": [], native: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const transport of TRANSPORTS) measurements[transport].push(await run(transport, shape));
  }
  const [reference, native] = [middle(measurements.grpc_js), middle(measurements.native)];
  printLine(row(shape, "grpc_js", reference));
  printLine(row(shape, "native", native));
  const rate = (native.callsPerSecond / reference.callsPerSecond).toFixed(1);
  const latency = (reference.p99Ms / native.p99Ms).toFixed(1);
  printLine(`native / grpc_js: ${rate} times the calls, 1/${latency} of the p99`);
}
