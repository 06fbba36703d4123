import { killProcess } from "../../support/servers/process.ts";
import { printLine } from "../../support/runner/print_line.ts";
import { readLines } from "../../support/service/program.ts";
import { CpuMeter } from "../load/cpu_meter.ts";
import type { Measurement, Watched } from "../load/load.ts";
import { Latencies } from "../report/latencies.ts";
import { percentiles } from "../report/statistics.ts";

/** The options of every process of this folder; its driver needs more. */
export interface LoopOptions {
  /** Calls in flight. */
  readonly concurrency: number;
  /** How many keys there are; after the last comes the first again. */
  readonly keys: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Servers. The loop adds its own process as the service. */
  readonly watched: Watched;
}

/** Enough for a 99th percentile, even if the machine was stalled for all of a short measurement. */
const MIN_MEASURED_CALLS = 100;
/** The byte that requests a measurement. */
const ORDER = new Uint8Array(1);

/** A program of this folder in its own process. It stays connected and warm between measurements. */
export class LoopProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: Promise<void>;
  readonly #ended: Promise<never>;
  #measurement = Promise.withResolvers<Measurement>();

  private constructor(program: string, process: Deno.ChildProcess) {
    this.#process = process;
    this.#orders = process.stdin.getWriter();
    this.#output = readLines(process.stdout, (line) => this.#measurement.resolve(JSON.parse(line)));
    this.#ended = process.status.then(({ code }) => {
      throw new Error(`Cannot measure ${program}: it ended with ${code}, see above`);
    });
    // measure() reports the failure.
    this.#ended.catch(() => {});
  }

  /** Starts a program, which is killed when the result is disposed of. */
  static start<Options extends LoopOptions>(program: string, options: Options): LoopProcess {
    const path = decodeURIComponent(new URL(program, import.meta.url).pathname);
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", path, JSON.stringify(options)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    });
    return new LoopProcess(program, command.spawn());
  }

  /** Takes one measurement. */
  async measure(): Promise<Measurement> {
    this.#measurement = Promise.withResolvers();
    const ordered = this.#orders.write(ORDER).then(() => this.#measurement.promise);
    return await Promise.race([ordered, this.#ended]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await killProcess(this.#process);
    await this.#output;
    // The process has ended, and its pipe is broken.
    await this.#orders.close().catch(() => {});
  }
}

/**
 * Runs in that process: takes and prints a measurement for each byte of its input; resolves at the input's end. Keys
 * are called in order, and a measurement continues where the one before ended.
 */
export async function serveLoop(options: LoopOptions, call: (key: number) => Promise<void>): Promise<void> {
  // The first call opens the connections.
  await call(0);
  let next = 0;
  const callNext = () => call(next++ % options.keys);
  for await (const _ of Deno.stdin.readable) printLine(JSON.stringify(await measureLoop(options, callNext)));
}

/** Keeps as many calls in flight as the options ask for. */
async function measureLoop(
  { concurrency, warmUpMs, measuredMs, watched }: LoopOptions,
  call: () => Promise<void>,
): Promise<Measurement> {
  const latenciesMs = new Latencies();
  const measuredFromMs = performance.now() + warmUpMs;
  const endsAtMs = measuredFromMs + measuredMs;
  let measuredToMs = endsAtMs;
  let meter: CpuMeter | undefined;
  const run = async () => {
    for (
      let beganAtMs = performance.now();
      beganAtMs < endsAtMs || latenciesMs.length < MIN_MEASURED_CALLS;
    ) {
      await call();
      const nowMs = performance.now();
      if (nowMs >= measuredFromMs) {
        meter ??= new CpuMeter({ ...watched, service: [Deno.pid] });
        latenciesMs.push(nowMs - beganAtMs);
        measuredToMs = Math.max(measuredToMs, nowMs);
      }
      beganAtMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, run));
  const [p50Ms, p99Ms, p999Ms] = percentiles(latenciesMs.toArray(), [50, 99, 99.9]);
  return {
    calls: latenciesMs.length,
    callsPerSecond: latenciesMs.length / (measuredToMs - measuredFromMs) * 1000,
    p50Ms,
    p99Ms,
    p999Ms,
    cpuUs: meter?.perCallUs(latenciesMs.length) ?? {},
    failures: {},
  };
}
