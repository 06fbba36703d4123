import { findProgram } from "../../support/servers/find_program.ts";
import { askRedis } from "../../support/redis/redis.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { CpuMeter } from "../load/cpu_meter.ts";
import type { Measurement, Watched } from "../load/load.ts";

/** How redis-benchmark keeps Redis busy. */
export interface RedisBenchmarkLoad {
  readonly connections: number;
  /** Commands in flight on each connection. */
  readonly pipeline: number;
  readonly measuredMs: number;
  readonly watched: Watched;
}

/** A first run, which determines how many commands the measured one sends. */
const TRIAL_COMMANDS = 20_000;
const KEY = "cacheserver-bench";

/** The path of redis-benchmark (Debian: redis-tools), or undefined if it is not installed. */
export function findRedisBenchmark(): string | undefined {
  return findProgram("redis-benchmark");
}

/** GETs of one key of `valueBytes` by redis-benchmark, as long as the load says. */
export async function measureWithRedisBenchmark(
  program: string,
  redis: Endpoint,
  { load, valueBytes }: { readonly load: RedisBenchmarkLoad; readonly valueBytes: number },
): Promise<Omit<Measurement, "p999Ms">> {
  await askRedis(redis, `SET ${KEY} ${"a".repeat(valueBytes)} PX 600000`);
  const trial = await run(program, redis, load, TRIAL_COMMANDS);
  const commands = Math.max(TRIAL_COMMANDS, Math.round(trial.callsPerSecond * load.measuredMs / 1000));
  const meter = new CpuMeter(load.watched);
  const measured = await run(program, redis, load, commands);
  return { ...measured, calls: commands, cpuUs: meter.perCallUs(commands), failures: {} };
}

async function run(
  program: string,
  { hostname, port }: Endpoint,
  { connections, pipeline }: RedisBenchmarkLoad,
  commands: number,
): Promise<RedisBenchmarkRow> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [
      ...["-h", hostname, "-p", String(port), "--csv"],
      ...["-c", String(connections), "-P", String(pipeline), "-n", String(commands)],
      ...["GET", KEY],
    ],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot run redis-benchmark: ${new TextDecoder().decode(stderr)}`);
  return parseRedisBenchmark(new TextDecoder().decode(stdout));
}

/** One line of redis-benchmark's table. */
export type RedisBenchmarkRow = Pick<Measurement, "callsPerSecond" | "p50Ms" | "p99Ms">;

/** Reads the output of `redis-benchmark --csv` for one command: a line of headings, and one of values. */
export function parseRedisBenchmark(csv: string): RedisBenchmarkRow {
  const [headings, values] = csv.trim().split("\n").map((line) =>
    line.trim().replaceAll(/^"|"$/g, "").split('","')
  );
  const value = (heading: string) => {
    const at = headings?.indexOf(heading) ?? -1;
    const number = Number(values?.[at]);
    if (at === -1 || !(number > 0)) throw new Error(`Cannot read the output of redis-benchmark: ${csv}`);
    return number;
  };
  return { callsPerSecond: value("rps"), p50Ms: value("p50_latency_ms"), p99Ms: value("p99_latency_ms") };
}
