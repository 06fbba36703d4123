import type { Clock } from "../../core/clock.ts";
import type { CacheKey } from "../../core/key.ts";
import { RedisBatches } from "./batches.ts";
import type { RedisChanges } from "./changes.ts";
import { isRefusal } from "./errors.ts";
import { type PrefixedBytes, type RedisArgument, redisScript } from "./commands.ts";
import type { RedisDeadline } from "./deadline.ts";
import { sameSlotKey } from "./lease_key.ts";

/** The most keys that a script changes, in about 0.1 ms. */
export const MAX_KEYS_WRITTEN = 64;

/** A larger value avoids the script: Redis's Lua hashes each byte of it, about 1 µs a KiB. */
export const MAX_SCRIPT_VALUE_BYTES = 4 * 1024;

/** Arguments of the script in place of a TTL. */
const NO_EXPIRY = "0";
const DELETE = "-";

/**
 * Sets or deletes each key, in order. ARGV has a value and a TTL in ms for each key: 0 for no expiry, - to delete.
 *
 * If Redis refuses one key, as without memory, that key fails alone: the reply is a list with its error. If Redis refuses
 * all of them, as a server that takes no changes does, the reply is the first error.
 */
const WRITE = redisScript(`
local pcall, args, replies, failures = redis.pcall, ARGV, {}, 0
for i, key in ipairs(KEYS) do
  local ttl, reply = args[2 * i]
  if ttl == '${DELETE}' then reply = pcall('DEL', key)
  elseif ttl == '${NO_EXPIRY}' then reply = pcall('SET', key, args[2 * i - 1])
  else reply = pcall('SET', key, args[2 * i - 1], 'PX', ttl) end
  local isFailure = type(reply) == 'table' and reply.err
  replies[i] = isFailure and reply
  if isFailure then failures = failures + 1 end
end
if failures == #KEYS then return replies[1] end
if failures > 0 then return replies end
`);

/** A change of one key. */
interface Write {
  readonly key: string;
  /** Undefined to delete it. */
  readonly value: PrefixedBytes | undefined;
  readonly ttl: string | number;
  readonly deadline: RedisDeadline;
}

export interface RedisEntryWritesOptions {
  readonly clock: Clock;
  /** Makes a UUID. */
  readonly newName: () => string;
}

/**
 * Sets and deletes namespaced entries, each by its deadline or not at all. The changes of one turn share a script and
 * the earliest of their deadlines. A large value has a transaction of its own, and uses the script if Redis refuses that:
 *
 *     MULTI
 *     SET      incoming:…  value  PXAT <deadline>
 *     PEXPIRE  incoming:…  ttl                         after the deadline the key is gone
 *     RENAME   incoming:…  key
 *     EXEC
 */
export class RedisEntryWrites {
  readonly #changes: RedisChanges;
  readonly #keyPrefix: string;
  readonly #writes: RedisBatches<Write, void>;
  readonly #names: string;
  #lastName = 0;

  constructor(changes: RedisChanges, keyPrefix: string, { clock, newName }: RedisEntryWritesOptions) {
    this.#changes = changes;
    this.#keyPrefix = keyPrefix;
    this.#names = `:${newName()}:`;
    const connection = { spansSlots: changes.spansSlots, run: changes.changeAll.bind(changes) };
    this.#writes = new RedisBatches(connection, clock, {
      script: WRITE,
      maxRequests: MAX_KEYS_WRITTEN,
      keysOf: (writes) => writes.map(({ key }) => key),
      argumentsOf(writes) {
        const args: RedisArgument[] = [];
        for (const { value, ttl } of writes) args.push(value ?? "", ttl);
        // The first is the earliest.
        args.push(writes[0]!.deadline);
        return args;
      },
      dueMs: ({ deadline }) => deadline.atMs,
      read: (reply, { length }) => ({
        count: length,
        at(index) {
          const failure = Array.isArray(reply) ? reply[index] : undefined;
          if (failure instanceof Error) throw failure;
        },
      }),
    });
  }

  /** Sets a key for `ttlMs`, a whole number of at least 1, or Infinity for no expiry. */
  async set(key: CacheKey, value: PrefixedBytes, ttlMs: number): Promise<void> {
    const write = {
      key: this.#keyPrefix + key,
      value,
      ttl: ttlMs === Infinity ? NO_EXPIRY : ttlMs,
      deadline: this.#changes.newDeadline(),
    };
    try {
      if (value.bytes.length <= MAX_SCRIPT_VALUE_BYTES) await this.#writes.run(write);
      else await this.#setLarge(key, value, ttlMs, write);
    } catch (error) {
      await this.#changes.settled(error);
      throw error;
    }
  }

  async delete(key: CacheKey): Promise<void> {
    const deadline = this.#changes.newDeadline();
    try {
      await this.#writes.run({ key: this.#keyPrefix + key, value: undefined, ttl: DELETE, deadline });
    } catch (error) {
      await this.#changes.settled(error);
      throw error;
    }
  }

  async #setLarge(key: CacheKey, value: PrefixedBytes, ttlMs: number, write: Write): Promise<void> {
    const incoming = sameSlotKey(this.#keyPrefix, "incoming", key, `${this.#names}${++this.#lastName}`);
    if (incoming !== undefined) {
      try {
        return await this.#changes.setBy(incoming, {
          key: write.key,
          value,
          ttlMs,
          deadline: write.deadline,
        });
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    }
    // Too late, the slot migrates, an access list forbids it, or no memory: the script's error tells which.
    await this.#writes.run(write);
  }
}
