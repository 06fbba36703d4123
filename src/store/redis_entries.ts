import type { Clock } from "../core/clock.ts";
import { type Entry, timeLeftMs } from "../core/entry.ts";
import type { EntryChange } from "../core/entry_change.ts";
import { ServiceError } from "../core/errors.ts";
import type { CacheKey } from "../core/key.ts";
import type { Authority } from "../core/ports.ts";
import { UNVERSIONED } from "../core/version.ts";
import type { RedisCommands } from "./redis_commands.ts";
import type { RedisValue } from "./redis_read.ts";
import { RedisReads } from "./redis_reads.ts";

/** The first byte of a value: how the rest is to be read. This release knows one way: the entry's bytes follow. */
const FORMAT_PLAIN = 1;

/**
 * Namespaced entries in Redis, where they live under `<prefix>namespace:<escaped namespace>:<key>`:
 *
 *     +------+------------------------+
 *     | 0x01 | google.protobuf.Any …  |      expiry: the key's own
 *     +------+------------------------+
 */
export class RedisEntries implements Authority<Uint8Array, EntryChange> {
  readonly #client: RedisCommands;
  readonly #keyPrefix: string;
  readonly #clock: Clock;
  readonly #reads: RedisReads<Entry<Uint8Array>>;

  constructor(client: RedisCommands, keyPrefix: string, clock: Clock) {
    this.#client = client;
    this.#keyPrefix = keyPrefix;
    this.#clock = clock;
    this.#reads = new RedisReads(client, clock, decodeEntry);
  }

  read(key: CacheKey): Promise<Entry<Uint8Array> | undefined> {
    return this.#reads.read(this.#keyPrefix + key);
  }

  async write(key: CacheKey, change: EntryChange): Promise<Entry<Uint8Array>> {
    const stored = new Uint8Array(change.value.length + 1);
    stored[0] = FORMAT_PLAIN;
    stored.set(change.value, 1);
    const ttlMs = timeLeftMs(change, this.#clock.now());
    // Redis refuses a TTL of 0; what has already expired is the same as what is not there.
    if (ttlMs === 0) await this.#client.delete(this.#keyPrefix + key);
    else await this.#client.set(this.#keyPrefix + key, stored, ttlMs);
    return { value: change.value, expiresAtMs: change.expiresAtMs, version: UNVERSIONED };
  }

  async remove(key: CacheKey): Promise<undefined> {
    await this.#client.delete(this.#keyPrefix + key);
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
  // A copy: the reply is a view into what was received, and would keep all of that alive.
  const value = new Uint8Array(bytes.length - 1);
  value.set(bytes.subarray(1));
  return { value, expiresAtMs, version: UNVERSIONED };
}
