import type { Clock } from "../../core/clock.ts";
import { ServiceError } from "../../core/errors.ts";
import type { RedisArgument, RedisCommands, RedisScript } from "./commands.ts";

/** How many scripts may be under way: while Redis is at work on one, the next is written and read. */
export const MAX_SCRIPTS_UNDER_WAY = 2;

/** A script that does the same for several requests, which all have as many keys. */
export interface BatchScript<Q, R> {
  readonly script: RedisScript;
  /** How many requests it takes at most: Redis does nothing else meanwhile. */
  readonly maxRequests: number;
  keysOf(requests: readonly Q[]): readonly string[];
  argumentsOf(requests: readonly Q[]): readonly RedisArgument[];
  /** The instant of the monotonic clock from which on a request is not sent any more. Without it, there is none. */
  dueMs?(request: Q): number;
  /** Reads the reply to a script that was sent at this time. Throws for one that nobody can read. */
  read(reply: unknown, requests: readonly Q[], sentAtMs: number): BatchAnswers<R>;
}

/** What a script has to say of the first `count` of its requests. It may leave out the rest, to be asked for again. */
export interface BatchAnswers<R> {
  readonly count: number;
  /** Of the request at this place. Throws where that has failed alone. */
  at(index: number): R;
}

/** What batches need of {@link RedisCommands}. */
type Connection = Pick<RedisCommands, "spansSlots" | "run">;

interface Waiting<Q, R> {
  readonly request: Q;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs a script for many requests at a time, those of one turn of the event loop together. What is asked for while
 * Redis owes answers waits for one and then goes out together, so that batches grow with the load:
 *
 *     turn 1    get a, get b      ->  read a b
 *     turn 2    get c             ->  read c
 *     turn 3    get d
 *     turn 4    get e
 *     turn 5    a, b  <-  reply   ->  read d e
 *
 * A command of ioredis costs this process about as much as all else that a hit in Redis does, an EVALSHA costs Redis
 * several times a GET, and each batch is one write and one read of a socket: shared, they are next to nothing.
 */
export class RedisBatches<Q, R> {
  readonly #client: Connection;
  readonly #clock: Clock;
  readonly #batch: BatchScript<Q, R>;
  #waiting: Waiting<Q, R>[] = [];
  #scriptsUnderWay = 0;
  #isSendScheduled = false;

  constructor(client: Connection, clock: Clock, batch: BatchScript<Q, R>) {
    this.#client = client;
    this.#clock = clock;
    this.#batch = batch;
  }

  /** Has the script run for a request; resolves to what it says of it. */
  run(request: Q): Promise<R> {
    return new Promise((resolve, reject) => {
      const waiting = { request, resolve, reject };
      if (this.#client.spansSlots) this.#wait(waiting);
      else this.#send([waiting]);
    });
  }

  #wait(waiting: Waiting<Q, R>): void {
    this.#waiting.push(waiting);
    if (this.#isSendScheduled || this.#scriptsUnderWay >= MAX_SCRIPTS_UNDER_WAY) return;
    this.#isSendScheduled = true;
    queueMicrotask(() => {
      this.#isSendScheduled = false;
      this.#sendWaiting();
    });
  }

  /** Sends all that wait, in as many scripts as they need. */
  #sendWaiting(): void {
    const { maxRequests } = this.#batch;
    const all = this.#takeWaiting();
    for (let start = 0; start < all.length; start += maxRequests) {
      this.#send(all.slice(start, start + maxRequests));
    }
  }

  #takeWaiting(): readonly Waiting<Q, R>[] {
    const all = this.#waiting;
    this.#waiting = [];
    const { dueMs } = this.#batch;
    if (dueMs === undefined) return all;
    const nowMs = this.#clock.monotonic();
    return all.filter(({ request, reject }) => {
      const isInTime = nowMs < dueMs(request);
      if (!isInTime) reject(new Error("Cannot send to Redis: the time for it was over before its turn came"));
      return isInTime;
    });
  }

  async #send(batch: readonly Waiting<Q, R>[]): Promise<void> {
    this.#scriptsUnderWay++;
    let answered = batch.length;
    try {
      answered = await this.#ask(batch);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#scriptsUnderWay--;
    if (answered < batch.length) this.#waiting.unshift(...batch.slice(answered));
    if (this.#waiting.length > 0 && this.#scriptsUnderWay < MAX_SCRIPTS_UNDER_WAY) this.#sendWaiting();
  }

  /** Runs the script, and tells those of whom it says something; resolves to how many they are. */
  async #ask(batch: readonly Waiting<Q, R>[]): Promise<number> {
    const { script, keysOf, argumentsOf, read } = this.#batch;
    const requests = batch.map(({ request }) => request);
    const sentAtMs = this.#clock.now();
    const reply = await this.#client.run(script, keysOf(requests), ...argumentsOf(requests));
    const answers = read(reply, requests, sentAtMs);
    if (!(answers.count > 0 && answers.count <= batch.length)) {
      throw new ServiceError(
        "internal",
        `Cannot read from Redis: ${answers.count} answers to ${batch.length}`,
      );
    }
    for (let index = 0; index < answers.count; index++) {
      const { resolve, reject } = batch[index]!;
      try {
        resolve(answers.at(index));
      } catch (error) {
        reject(error);
      }
    }
    return answers.count;
  }
}
