import { printLine } from "../../support/print_line.ts";
import { CpuMeter } from "../load/cpu_meter.ts";
import type { Measurement, Watched } from "../load/load.ts";
import { Latencies } from "../report/latencies.ts";
import { percentiles } from "../report/statistics.ts";

/** What each process of this folder is told, beside what its driver needs. */
export interface LoopOptions {
  /** Calls in flight. */
  readonly concurrency: number;
  /** How many keys there are. */
  readonly keys: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Servers; the loop adds itself, in the service's place. */
  readonly watched: Watched;
}

/** So that there is a 99th percentile to tell, also where the machine stood still for all of a short time. */
const MIN_MEASURED_CALLS = 100;

/** Runs a program of this folder in a process of its own. */
export async function runLoop<Options extends LoopOptions>(
  program: string,
  options: Options,
): Promise<Measurement> {
  const path = decodeURIComponent(new URL(program, import.meta.url).pathname);
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", path, JSON.stringify(options)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot measure ${program}, see above`);
  return JSON.parse(new TextDecoder().decode(stdout)) as Measurement;
}

/** In that process: keeps `call` in flight as often as the options say, a key after the other, and prints. */
export async function measureLoop(
  { concurrency, keys, warmUpMs, measuredMs, watched }: LoopOptions,
  call: (key: number) => Promise<void>,
): Promise<void> {
  // Whatever connects on first use has done so.
  await call(0);
  const latenciesMs = new Latencies();
  const measuredFromMs = performance.now() + warmUpMs;
  const endsAtMs = measuredFromMs + measuredMs;
  let measuredToMs = endsAtMs;
  let meter: CpuMeter | undefined;
  let next = 0;
  const run = async () => {
    for (
      let beganAtMs = performance.now();
      beganAtMs < endsAtMs || latenciesMs.length < MIN_MEASURED_CALLS;
    ) {
      await call(next++ % keys);
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
  const measurement: Measurement = {
    calls: latenciesMs.length,
    callsPerSecond: latenciesMs.length / (measuredToMs - measuredFromMs) * 1000,
    p50Ms,
    p99Ms,
    p999Ms,
    cpuUs: meter?.perCallUs(latenciesMs.length) ?? {},
    failures: {},
  };
  printLine(JSON.stringify(measurement));
}
