import type { Clock } from "../core/clock.ts";
import { ServiceError } from "../core/errors.ts";
import { type RedisCommands, redisScript } from "./redis_commands.ts";
import { type RedisValue, redisValue, replyList } from "./redis_read.ts";

/** How many keys a script reads: about 50 µs, for which Redis does nothing else. */
export const MAX_BATCH_KEYS = 64;

/** A script reads no further key after this many bytes, so that large values do not hold Redis up either. */
export const MAX_BATCH_BYTES = 1024 * 1024;

/**
 * The values of the keys and the time that each has left, as of one instant: { value, PTTL, value, PTTL, … }, for
 * as many of the keys as the limit allows, at least one. GET and PTTL sent one behind the other are two instants: a
 * SET in between would pair the old value with the new one's time. A key of another type has its error for a value.
 */
const READ = redisScript(`
local reply, bytes = {}, 0
for i, key in ipairs(KEYS) do
  local value = redis.pcall('GET', key)
  reply[2 * i - 1] = value
  reply[2 * i] = value and redis.call('PTTL', key)
  if type(value) == 'string' then bytes = bytes + #value end
  if bytes >= ${MAX_BATCH_BYTES} then break end
end
return reply
`);

/** Makes of a value what its reader gets. */
export type DecodeValue<T> = (value: RedisValue) => T;

/** What reads need of {@link RedisCommands}. */
type Connection = Pick<RedisCommands, "spansSlots" | "run">;

interface Read<T> {
  readonly key: string;
  readonly resolve: (found: T | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads keys, those of one turn of the event loop in one script. What is asked for while Redis owes the answer waits
 * for it and then goes out together, so that batches grow with the load:
 *
 *     turn 1    get a, get b      ->  read a b
 *     turn 2    get c
 *     turn 3    get d
 *     turn 4    a, b  <-  reply   ->  read c d
 *
 * A command of ioredis costs this process about as much as all else that a hit in Redis does, an EVALSHA costs Redis
 * several times a GET, and each batch is one write and one read of a socket: shared, they are next to nothing.
 */
export class RedisReads<T> {
  readonly #client: Connection;
  readonly #clock: Clock;
  readonly #decode: DecodeValue<T>;
  #waiting: Read<T>[] = [];
  #scriptsUnderWay = 0;
  #isSendScheduled = false;

  constructor(client: Connection, clock: Clock, decode: DecodeValue<T>) {
    this.#client = client;
    this.#clock = clock;
    this.#decode = decode;
  }

  /** Reads a key; undefined when it is not there. */
  read(key: string): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const read = { key, resolve, reject };
      if (this.#client.spansSlots) this.#wait(read);
      else this.#send([read]);
    });
  }

  #wait(read: Read<T>): void {
    this.#waiting.push(read);
    if (this.#isSendScheduled || this.#scriptsUnderWay > 0) return;
    this.#isSendScheduled = true;
    queueMicrotask(() => this.#sendWaiting());
  }

  #sendWaiting(): void {
    this.#isSendScheduled = false;
    const reads = this.#waiting;
    this.#waiting = [];
    for (let start = 0; start < reads.length; start += MAX_BATCH_KEYS) {
      this.#send(reads.slice(start, start + MAX_BATCH_KEYS));
    }
  }

  async #send(reads: readonly Read<T>[]): Promise<void> {
    this.#scriptsUnderWay++;
    const sentAtMs = this.#clock.now();
    let answered: number;
    try {
      const reply = await this.#client.run(READ, reads.map((read) => read.key));
      answered = this.#answer(reads, replyList(reply), sentAtMs);
    } catch (error) {
      for (const read of reads) read.reject(error);
      answered = reads.length;
    }
    this.#scriptsUnderWay--;
    if (answered < reads.length) this.#waiting.unshift(...reads.slice(answered));
    if (this.#waiting.length > 0 && this.#scriptsUnderWay === 0) this.#sendWaiting();
  }

  /** Tells the readers what a reply says of their keys; returns of how many it does. */
  #answer(reads: readonly Read<T>[], reply: readonly unknown[], sentAtMs: number): number {
    const answered = Math.min(reads.length, reply.length / 2);
    if (answered === 0) throw new ServiceError("internal", "Cannot read from Redis: the reply is empty");
    for (let index = 0; index < answered; index++) {
      const read = reads[index]!;
      try {
        read.resolve(this.#found(reply[2 * index], reply[2 * index + 1], sentAtMs));
      } catch (error) {
        read.reject(error);
      }
    }
    return answered;
  }

  #found(bytes: unknown, ttlMs: unknown, sentAtMs: number): T | undefined {
    if (bytes instanceof Error) throw bytes;
    const value = redisValue(bytes, ttlMs, sentAtMs);
    return value && this.#decode(value);
  }
}
