import { MAX_KEYS_READ } from "../../../src/store/mysql/reads.ts";
import { memoryAlternatives } from "../alternatives/instead_of_memory.ts";
import { mysqlAlternatives } from "../alternatives/instead_of_mysql.ts";
import { redisAlternatives } from "../alternatives/instead_of_redis.ts";
import type { Bench, Part } from "../part.ts";
import type { Row } from "../report/results.ts";
import { canStart, SETUPS } from "../setup.ts";

/** The service beside its alternatives. */
export const alternatives: Part = {
  name: "alternatives",
  title: "Beside what one would use instead",
  labels: ["what", "by"],
  note:
    "128 calls in flight, measured in turn, repeat by repeat; service / this is the service's calls/s by those " +
    "of the row. The bare drivers are called by a loop in the same process, so they pay for no network, no gRPC " +
    "and no client; redis-benchmark is Redis and a client in C. The service's client takes CPU on the same cores. " +
    `The service reads the keys of up to ${MAX_KEYS_READ} concurrent calls with one statement of MySQL, so it may ` +
    "answer more calls than the bare driver, which has one statement a call.",
  measure,
};

async function* measure(bench: Bench): AsyncGenerator<Row> {
  if (canStart(SETUPS["servers, no L1"])) {
    yield* await redisAlternatives(bench);
    yield* await mysqlAlternatives(bench);
  }
  yield* await memoryAlternatives(bench);
}
