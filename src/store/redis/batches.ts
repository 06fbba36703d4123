import type { Clock } from "../../core/clock.ts";
import { ServiceError } from "../../core/errors.ts";
import { Batcher, type Waiting } from "../batcher.ts";
import type { RedisArgument, RedisCommands, RedisScript } from "./commands.ts";

/** How many scripts may be under way: while Redis runs one, the next is written and read. */
export const MAX_SCRIPTS_UNDER_WAY = 2;

/** A script that does the same for several requests, each with the same number of keys. */
export interface BatchScript<Q, R> {
  readonly script: RedisScript;
  /** The most requests of one script: Redis does nothing else meanwhile. */
  readonly maxRequests: number;
  keysOf(requests: readonly Q[]): readonly string[];
  argumentsOf(requests: readonly Q[]): readonly RedisArgument[];
  /** The monotonic time from which the request is no longer sent; without this method, it always is. */
  dueMs?(request: Q): number;
  /** Parses the reply to a script that was sent at this time. Throws if it is malformed. */
  read(reply: unknown, requests: readonly Q[], sentAtMs: number): BatchResults<R>;
}

/** The results of the first `count` requests of a script. It may leave out the rest, which are then sent again. */
export interface BatchResults<R> {
  readonly count: number;
  /** The result of the request at this index. Throws if only that request failed. */
  at(index: number): R;
}

/** The part of {@link RedisCommands} that batches use. */
type Connection = Pick<RedisCommands, "spansSlots" | "run">;

/**
 * Runs a script for many requests at a time, see {@link Batcher}.
 *
 * A command of ioredis costs this process about as much as the rest of a hit in Redis, an EVALSHA costs Redis several
 * times a GET, and each batch is one write and one read of a socket. Batches share all three.
 */
export class RedisBatches<Q, R> {
  readonly #client: Connection;
  readonly #clock: Clock;
  readonly #batch: BatchScript<Q, R>;
  readonly #batcher: Batcher<Q, R>;

  constructor(client: Connection, clock: Clock, batch: BatchScript<Q, R>) {
    this.#client = client;
    this.#clock = clock;
    this.#batch = batch;
    this.#batcher = new Batcher({
      maxRequests: batch.maxRequests,
      maxUnderWay: MAX_SCRIPTS_UNDER_WAY,
      excess: "starts",
      run: (take) => this.#send(take(this.#deadlineCheck())),
    });
  }

  /** Runs the script for a request, alone if scripts may not span slots; resolves to its result. */
  run(request: Q): Promise<R> {
    if (this.#client.spansSlots) return this.#batcher.add(request);
    return new Promise((resolve, reject) => {
      this.#send([{ request, resolve, reject }]).catch(reject);
    });
  }

  /** A function that throws for a request whose deadline has passed. */
  #deadlineCheck(): ((request: Q) => void) | undefined {
    const { dueMs } = this.#batch;
    if (dueMs === undefined) return undefined;
    const nowMs = this.#clock.monotonic();
    return (request) => {
      if (nowMs >= dueMs(request)) throw new Error("Cannot send to Redis: the deadline passed in the queue");
    };
  }

  async #send(batch: readonly Waiting<Q, R>[]): Promise<void> {
    if (batch.length === 0) return;
    const { script, keysOf, argumentsOf, read } = this.#batch;
    const requests = batch.map(({ request }) => request);
    const sentAtMs = this.#clock.now();
    const reply = await this.#client.run(script, keysOf(requests), ...argumentsOf(requests));
    const results = read(reply, requests, sentAtMs);
    if (!(results.count > 0 && results.count <= batch.length)) {
      throw new ServiceError(
        "internal",
        `Cannot read from Redis: ${results.count} results for ${batch.length} requests`,
      );
    }
    for (let index = 0; index < results.count; index++) {
      const { resolve, reject } = batch[index]!;
      try {
        resolve(results.at(index));
      } catch (error) {
        reject(error);
      }
    }
    if (results.count < batch.length) this.#batcher.putBack(batch.slice(results.count));
  }
}
