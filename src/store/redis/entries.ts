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
import { NOTE, notedReply, type RedisValue, redisValue } from "./values.ts";

/** The first byte of a value: how the rest is to be read. This release knows one way: the entry's bytes follow. */
const FORMAT_PLAIN = 1;
const FORMAT_PREFIX = String.fromCharCode(FORMAT_PLAIN);

/** How many keys a script reads: about 0.1 ms. */
export const MAX_KEYS_READ = 64;

/** A script reads no further key after this many bytes, so that large values do not hold Redis up either. */
export const MAX_BYTES_READ = 1024 * 1024;

/**
 * The values of the keys and the time that each has left, as of one instant, for as many of the keys as the limit
 * allows, at least one. GET and PTTL sent one behind the other are two instants: a SET in between would pair the old
 * value with the new one's time. A key of another type has its error for a value.
 */
const READ = redisScript(`${NOTE}
local reply, notes, bytes = {}, {}, 0
for i, key in ipairs(KEYS) do
  local value = pcall('GET', key)
  reply[i] = value
  notes[i] = value and note(key) or '-'
  if type(value) == 'string' then bytes = bytes + #value end
  if bytes >= ${MAX_BYTES_READ} then break end
end
reply[#notes + 1] = table.concat(notes, ' ')
return reply
`);

/** Reads the entries under keys; undefined for one that is not there. */
const READS: BatchScript<string, Entry<Uint8Array> | undefined> = {
  script: READ,
  maxRequests: MAX_KEYS_READ,
  keysOf: (key) => [key],
  argumentsOf: () => [],
  read(reply, _keys, sentAtMs) {
    const { values, notes } = notedReply(reply);
    return {
      count: notes.length,
      at(index) {
        const value = redisValue(values[index], notes[index], sentAtMs);
        return value && decodeEntry(value);
      },
    };
  },
};

/**
 * Namespaced entries in Redis, where they live under `<prefix>namespace:<escaped namespace>:<key>`:
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

  async write(key: CacheKey, change: EntryChange): Promise<Entry<Uint8Array>> {
    const stored = { prefix: FORMAT_PREFIX, bytes: change.value };
    const ttlMs = timeLeftMs(change, this.#clock);
    // Redis refuses a TTL of 0; what has already expired is the same as what is not there.
    if (ttlMs === 0) await this.#writes.delete(key);
    else await this.#writes.set(key, stored, ttlMs);
    return { value: change.value, expiresAtMs: change.expiresAtMs, version: UNVERSIONED };
  }

  async remove(key: CacheKey): Promise<undefined> {
    await this.#writes.delete(key);
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
  // No copy, which costs more than all else here: whoever keeps it longer than a call makes one.
  const value = new Uint8Array(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1);
  return { value, expiresAtMs, version: UNVERSIONED };
}
