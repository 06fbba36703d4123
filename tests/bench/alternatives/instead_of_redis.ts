import { freshKeyPrefix } from "../../support/redis/redis.ts";
import { PAYLOAD_BYTES } from "../load/requests.ts";
import { complaintsOf, Repeats } from "../measure.ts";
import type { Bench } from "../part.ts";
import type { Row } from "../report/results.ts";
import { MAIN, storedGets } from "../scenarios.ts";
import { allServers, SETUPS, startSetup } from "../setup.ts";
import { LoopProcess } from "./bare_loop.ts";
import type { IoredisOptions } from "./ioredis_loop.ts";
import { findRedisBenchmark, measureWithRedisBenchmark } from "./redis_benchmark.ts";
import { type Contender, sideBySide } from "../side_by_side.ts";

const GETS = storedGets("alternatives to Redis", 10_000);

const IN_FLIGHT = MAIN.shape.connections * MAIN.shape.streams;

/** A Get from Redis through the service, through its driver alone, and by redis-benchmark. */
export async function redisAlternatives(bench: Bench): Promise<Row[]> {
  await using setup = await startSetup(SETUPS["servers, no L1"], bench);
  const { redis } = allServers();
  const { redis: pids } = setup.watched;
  const repeats = new Repeats(GETS, setup, bench);
  const { warmUpMs, measuredMs, maxKeys } = bench.effort;
  const watched = pids === undefined ? {} : { redis: pids };
  const options: IoredisOptions = {
    ...redis,
    keyPrefix: freshKeyPrefix(),
    keys: Math.min(GETS.keys.count, maxKeys),
    valueBytes: PAYLOAD_BYTES,
    concurrency: IN_FLIGHT,
    warmUpMs,
    measuredMs,
    watched,
  };
  await using loop = LoopProcess.start("ioredis_loop.ts", options);
  const contenders: Contender[] = [
    { name: "this service", measure: () => repeats.measure(MAIN), remarks: () => complaintsOf(setup) },
    { name: "bare ioredis, auto-pipelining", measure: () => loop.measure() },
  ];
  const program = findRedisBenchmark();
  if (program === undefined) bench.progress("SKIPPED: redis-benchmark, which is not installed (redis-tools)");
  else {
    for (const { connections, streams } of [MAIN.shape, { connections: IN_FLIGHT, streams: 1 }]) {
      const load = { connections, pipeline: streams, measuredMs, watched };
      contenders.push({
        name: `redis-benchmark -c ${connections} -P ${streams}`,
        measure: () => measureWithRedisBenchmark(program, redis, { load, valueBytes: PAYLOAD_BYTES }),
      });
    }
  }
  return await sideBySide("Get from Redis", contenders, bench);
}
