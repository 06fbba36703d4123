import type { Clock } from "../../core/clock.ts";
import { type Entry, type EntryChange, timeLeftMs } from "../../core/entry.ts";
import { ServiceError } from "../../core/errors.ts";
import type { CacheKey } from "../../core/key.ts";
import type { Authority } from "../../core/ports.ts";
import { UNVERSIONED } from "../../core/version.ts";
import { type BatchScript, RedisBatches } from "./batches.ts";
import type { RedisChanges } from "./changes.ts";
import { redisScript } from "./commands.ts";
import { RedisEntryWrites, type RedisEntryWritesOptions } from "./entry_writes.ts";
import { type RedisValue, redisValue, TTL_OF, valuesWithTtls } from "./values.ts";

/** The first byte of a value is its format. This release has one: the entry's bytes follow. */
const FORMAT_PLAIN = 1;
const FORMAT_PREFIX = String.fromCharCode(FORMAT_PLAIN);

/** The most keys that a script reads, in about 0.1 ms. */
export const MAX_KEYS_READ = 64;

/** A script stops reading after this many bytes, so that large values do not block Redis. */
export const MAX_BYTES_READ = 1024 * 1024;

/**
 * The values and TTLs of the keys at one instant, for at least one key and as many as the limit allows. Separate GET and
 * PTTL commands would be two instants: a SET in between would pair the old value with the new TTL. A key of another type
 * has its error as value.
 */
const READ = redisScript(`${TTL_OF}
local reply, ttls, bytes = {}, {}, 0
for i, key in ipairs(KEYS) do
  local value = pcall('GET', key)
  reply[i] = value
  ttls[i] = value and ttlOf(key) or '-'
  if type(value) == 'string' then bytes = bytes + #value end
  if bytes >= ${MAX_BYTES_READ} then break end
end
reply[#ttls + 1] = table.concat(ttls, ' ')
return reply
`);

/** Reads entries by key; undefined for a missing one. */
const READS: BatchScript<string, Entry<Uint8Array> | undefined> = {
  script: READ,
  maxRequests: MAX_KEYS_READ,
  keysOf: (keys) => keys,
  argumentsOf: () => [],
  read(reply, _keys, sentAtMs) {
    const { values, ttls } = valuesWithTtls(reply);
    return {
      count: ttls.length,
      at(index) {
        const value = redisValue(values[index], ttls[index], sentAtMs);
        return value && decodeEntry(value);
      },
    };
  },
};

/**
 * Namespaced entries in Redis, under `<prefix>namespace:<escaped namespace>:<key>`:
 *
 *     +------+------------------------+
 *     | 0x01 | google.protobuf.Any …  |      expiry: the key's own
 *     +------+------------------------+
 */
export class RedisEntries implements Authority<Uint8Array, EntryChange> {
  readonly #client: RedisChanges;
  readonly #keyPrefix: string;
  readonly #clock: Clock;
  readonly #writes: RedisEntryWrites;
  readonly #reads: RedisBatches<string, Entry<Uint8Array> | undefined>;

  constructor(client: RedisChanges, keyPrefix: string, options: RedisEntryWritesOptions) {
    const { clock } = options;
    this.#client = client;
    this.#keyPrefix = keyPrefix;
    this.#clock = clock;
    this.#writes = new RedisEntryWrites(client, keyPrefix, options);
    this.#reads = new RedisBatches(client, clock, READS);
  }

  read(key: CacheKey): Promise<Entry<Uint8Array> | undefined> {
    return this.#reads.run(this.#keyPrefix + key);
  }

  write(key: CacheKey, change: EntryChange): Promise<Entry<Uint8Array>> {
    const { value, expiresAtMs } = change;
    const ttlMs = timeLeftMs(change, this.#clock);
    // Redis refuses a TTL of 0. An expired entry counts as missing.
    const written = ttlMs === 0
      ? this.#writes.delete(key)
      : this.#writes.set(key, { prefix: FORMAT_PREFIX, bytes: value }, ttlMs);
    return written.then(() => ({ value, expiresAtMs, version: UNVERSIONED }));
  }

  remove(key: CacheKey): Promise<undefined> {
    return this.#writes.delete(key).then(() => undefined);
  }

  ping(): Promise<void> {
    return this.#client.ping();
  }
}

function decodeEntry({ bytes, expiresAtMs }: RedisValue): Entry<Uint8Array> {
  if (bytes[0] !== FORMAT_PLAIN) {
    throw new ServiceError(
      "internal",
      `Cannot read an entry in Redis: format byte ${bytes[0]}, expected ${FORMAT_PLAIN}`,
    );
  }
  // No copy: it would cost more than all the rest. A caller that keeps the value longer than a call copies it.
  const value = new Uint8Array(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1);
  return { value, expiresAtMs, version: UNVERSIONED };
}
