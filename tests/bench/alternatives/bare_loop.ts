import { killProcess } from "../../support/servers/kill_process.ts";
import { printLine } from "../../support/runner/print_line.ts";
import { readLines } from "../../support/service/program.ts";
import { CpuMeter } from "../load/cpu_meter.ts";
import type { Measurement, Watched } from "../load/load.ts";
import { Latencies } from "../report/latencies.ts";
import { percentiles } from "../report/statistics.ts";

/** What each process of this folder is told, beside what its driver needs. */
export interface LoopOptions {
  /** Calls in flight. */
  readonly concurrency: number;
  /** How many keys there are; the first follows on the last. */
  readonly keys: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Servers; the loop adds itself, in the service's place. */
  readonly watched: Watched;
}

/** So that there is a 99th percentile to tell, also where the machine stood still for all of a short time. */
const MIN_MEASURED_CALLS = 100;
/** What asks for a measurement. */
const ORDER = new Uint8Array(1);

/** A program of this folder in a process of its own, which is connected and warm from one measurement to the next. */
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
    // measure() is who hears of it.
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
    // The pipe to a process that is gone is broken.
    await this.#orders.close().catch(() => {});
  }
}

/**
 * In that process: takes a measurement for each byte of its input, and prints it; resolves at the input's end. Keys
 * are called one after the other, from one measurement to the next.
 */
export async function serveLoop(options: LoopOptions, call: (key: number) => Promise<void>): Promise<void> {
  // Whatever connects on first use has done so.
  await call(0);
  let next = 0;
  const callNext = () => call(next++ % options.keys);
  for await (const _ of Deno.stdin.readable) printLine(JSON.stringify(await measureLoop(options, callNext)));
}

/** Keeps `call` in flight as often as the options say. */
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
