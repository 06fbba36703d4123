import { Worker } from "node:worker_threads";
import { CoherentReplica } from "../../support/redis/coherent_replica.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { type Order, preciseNowMs, type Report } from "./replica.ts";

/** The number of replicas beside the one that writes. */
export const OTHERS = 2;
const KEY_PREFIX = "staleness:";

/**
 * How long memory is stale, in ms for each of `writes` writes: from the return of a write on one replica until the last
 * of two others has dropped its copy. Each replica has its own thread, and all share a Redis of their own. 0 if the
 * others have dropped it before the write returns.
 */
export async function measureStaleness(writes: number): Promise<number[]> {
  await using resources = new AsyncDisposableStack();
  const redis = resources.use(await startRedis());
  const writer = resources.use(new CoherentReplica(redis, { keyPrefix: KEY_PREFIX }));
  await writer.becomes("tracking");
  const others = Array.from({ length: OTHERS }, () => resources.use(new Other()));
  await Promise.all(others.map((other) => other.send({ port: redis.port, keyPrefix: KEY_PREFIX })));

  const stalenessMs: number[] = [];
  for (let write = 0; write < writes; write++) {
    const invalidated = others.map((other) => other.invalidated());
    await writer.write(String(write));
    const acknowledgedAtMs = preciseNowMs();
    stalenessMs.push(Math.max(0, Math.max(...await Promise.all(invalidated)) - acknowledgedAtMs));
    // Then the next write finds an entry in each memory.
    await Promise.all(others.map((other) => other.send("read")));
  }
  return stalenessMs;
}

/** The thread of one of the other replicas. */
class Other implements AsyncDisposable {
  readonly #worker = new Worker(new URL("replica.ts", import.meta.url));
  #done = Promise.withResolvers<void>();
  #invalidated = Promise.withResolvers<number>();

  constructor() {
    this.#worker.on("message", (report: Report) => {
      if (report === "done") this.#done.resolve();
      else this.#invalidated.resolve(report.invalidatedAtMs);
    });
  }

  /** Resolves once it has done it. */
  send(order: Order): Promise<void> {
    this.#done = Promise.withResolvers();
    this.#worker.postMessage(order);
    return this.#done.promise;
  }

  /** Resolves to the instant of the next invalidation. */
  invalidated(): Promise<number> {
    this.#invalidated = Promise.withResolvers();
    return this.#invalidated.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
