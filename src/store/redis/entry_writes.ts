import type { Clock } from "../../core/clock.ts";
import type { CacheKey } from "../../core/key.ts";
import { RedisBatches } from "./batches.ts";
import type { RedisChanges } from "./changes.ts";
import { isRefusal } from "./client.ts";
import { type PrefixedBytes, type RedisArgument, redisScript } from "./commands.ts";
import type { RedisDeadline } from "./deadline.ts";
import { sameSlotKey } from "./lease_key.ts";

/** How many keys a script changes: about 0.1 ms. */
export const MAX_KEYS_WRITTEN = 64;

/** A larger value is not handed to a script: Redis's Lua hashes each byte of it, about 1 µs a KiB. */
export const MAX_SCRIPT_VALUE_BYTES = 4 * 1024;

/** What a script is told in place of a time to live. */
const FOR_EVER = "0";
const DELETE = "-";

/**
 * Sets or deletes each key, in their order. A key that is refused, as for want of memory, fails alone: it has its error
 * in the reply. When all are refused, their error is the reply, as it is of a server that takes no changes. ARGV: for
 * each key, value and ttl in ms, 0 for ever, - to delete.
 */
const WRITE = redisScript(`
local pcall, args, replies, failures = redis.pcall, ARGV, {}, 0
for i, key in ipairs(KEYS) do
  local ttl, reply = args[2 * i]
  if ttl == '${DELETE}' then reply = pcall('DEL', key)
  elseif ttl == '${FOR_EVER}' then reply = pcall('SET', key, args[2 * i - 1])
  else reply = pcall('SET', key, args[2 * i - 1], 'PX', ttl) end
  local isFailure = type(reply) == 'table' and reply.err
  replies[i] = isFailure and reply
  if isFailure then failures = failures + 1 end
end
if failures == #KEYS then return replies[1] end
if failures > 0 then return replies end
`);

/** What becomes of one key. */
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
 * Sets and deletes namespaced entries, each by its deadline or not at all. Those of one turn share a script and its
 * deadline; a large value has a transaction of its own, and the script where that is refused:
 *
 *     MULTI
 *     SET      incoming:…  value  PXAT <deadline>
 *     PEXPIRE  incoming:…  ttl                         nothing is there any more if it is too late
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
    const connection = {
      spansSlots: changes.spansSlots,
      run: changes.changeAll.bind(changes),
    };
    this.#writes = new RedisBatches(connection, clock, {
      script: WRITE,
      maxRequests: MAX_KEYS_WRITTEN,
      keysOf: (writes) => writes.map(({ key }) => key),
      argumentsOf(writes) {
        const args: RedisArgument[] = [];
        for (const { value, ttl } of writes) args.push(value ?? "", ttl);
        // The earliest: it began first.
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

  /** Sets a key; for ever when `ttlMs` is Infinity, else for `ttlMs`, a whole number of 1 or more. */
  async set(key: CacheKey, value: PrefixedBytes, ttlMs: number): Promise<void> {
    const write = {
      key: this.#keyPrefix + key,
      value,
      ttl: ttlMs === Infinity ? FOR_EVER : ttlMs,
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
    // It is too late, the slot is being moved, an access list forbids it, or there is no memory: the script tells which.
    await this.#writes.run(write);
  }
}
