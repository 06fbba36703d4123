import type { Clock } from "../core/clock.ts";
import { type Entry, timeLeftMs } from "../core/entry.ts";
import { ServiceError } from "../core/errors.ts";
import type { CacheKey } from "../core/key.ts";
import type { SharedCache, SharedRead } from "../core/ports.ts";
import type { Secret } from "../core/secret.ts";
import type { Version } from "../core/version.ts";
import { INCARNATION, type RedisCommands } from "./redis_commands.ts";
import { redisLeaseKey } from "./redis_lease_key.ts";
import { redisValue, replyList } from "./redis_read.ts";
import {
  ANNOUNCE,
  BURY,
  FILL,
  FORMAT_ENTRY,
  FORMAT_TOMBSTONE,
  PAYLOAD_START,
  PUBLISH,
  READ,
  VERSION_END,
  VERSION_PART_DIGITS,
} from "./redis_secret_scripts.ts";
import { decodeSecret, encodeSecret } from "./secret_codec.ts";

/** How long a tombstone stands: longer than any request can last, see {@link SharedCache}. */
export const TOMBSTONE_TTL_MS = 60_000;

export interface RedisSecretsOptions {
  readonly clock: Clock;
  /** Makes a UUID. */
  readonly newName: () => string;
  readonly tombstoneTtlMs?: number;
}

/** Secrets in Redis, between memory and the database; redis_secret_scripts.ts has the rules and the layout. */
export class RedisSecrets implements SharedCache<Secret> {
  readonly #client: RedisCommands;
  readonly #keyPrefix: string;
  readonly #clock: Clock;
  readonly #tombstoneTtlMs: number;
  readonly #leaseNames: string;
  #lastLease = 0;

  constructor(
    client: RedisCommands,
    keyPrefix: string,
    { clock, newName, tombstoneTtlMs = TOMBSTONE_TTL_MS }: RedisSecretsOptions,
  ) {
    this.#client = client;
    this.#keyPrefix = keyPrefix;
    this.#clock = clock;
    this.#tombstoneTtlMs = tombstoneTtlMs;
    this.#leaseNames = `${newName()} `;
  }

  async read(key: CacheKey): Promise<SharedRead<Secret>> {
    const sentAtMs = this.#clock.now();
    const keys = this.#keys(key);
    const lease = `${this.#leaseNames}${++this.#lastLease}`;
    const reply = replyList(await this.#client.run(READ, keys, INCARNATION, lease));
    const found = redisValue(reply[0], reply[1], sentAtMs);
    if (found === undefined) {
      const [, given, metAnotherLife] = reply;
      if (metAnotherLife === 1) this.#client.doubtIncarnation(keys[0]);
      return { lease: given instanceof Uint8Array ? DECODER.decode(given) : undefined };
    }
    const format = found.bytes[0];
    if (format === FORMAT_TOMBSTONE) return "tombstone";
    if (format !== FORMAT_ENTRY) {
      throw new ServiceError(
        "internal",
        `Cannot read a secret in Redis: format byte ${format}, expected ${FORMAT_ENTRY} or ${FORMAT_TOMBSTONE}`,
      );
    }
    return {
      value: decodeSecret(found.bytes.subarray(PAYLOAD_START)),
      expiresAtMs: found.expiresAtMs,
      version: decodeVersion(found.bytes),
    };
  }

  async announce(key: CacheKey, intent: string): Promise<void> {
    await this.#client.change(ANNOUNCE, this.#keys(key), INCARNATION, intent, this.#tombstoneTtlMs);
  }

  async publish(key: CacheKey, intent: string, entry: Entry<Secret>): Promise<void> {
    const put = this.#arguments(entry);
    await this.#client.change(PUBLISH, this.#keys(key), INCARNATION, intent, this.#tombstoneTtlMs, ...put);
  }

  async bury(key: CacheKey, intent: string, version: Version | undefined): Promise<void> {
    const outranked = encodeVersion(version ?? { id: 0, revision: 0 });
    await this.#client.change(BURY, this.#keys(key), INCARNATION, intent, this.#tombstoneTtlMs, outranked);
  }

  async fill(key: CacheKey, lease: string, entry: Entry<Secret>): Promise<void> {
    await this.#client.run(FILL, this.#keys(key), INCARNATION, lease, ...this.#arguments(entry));
  }

  /** The secret's and, where it can have one, its lease's. */
  #keys(key: CacheKey): readonly [string, ...string[]] {
    const leaseKey = redisLeaseKey(this.#keyPrefix, key);
    return leaseKey === undefined ? [this.#keyPrefix + key] : [this.#keyPrefix + key, leaseKey];
  }

  /** version, payload, time left: 0 tells the script that the entry never expires. */
  #arguments(entry: Entry<Secret>): [string, string, number] {
    const leftMs = timeLeftMs(entry, this.#clock.now());
    const ttlMs = leftMs === Infinity ? 0 : Math.max(1, leftMs);
    return [encodeVersion(entry.version), encodeSecret(entry.value), ttlMs];
  }
}

const DECODER = new TextDecoder();

/** Fixed width, so that the order of the texts is the order of the versions in every locale of Redis's Lua. */
function encodeVersion(version: Version): string {
  return digits(version.id) + digits(version.revision);
}

function digits(part: number): string {
  return String(part).padStart(VERSION_PART_DIGITS, "0");
}

function decodeVersion(bytes: Uint8Array): Version {
  const text = String.fromCharCode(...bytes.subarray(1, VERSION_END));
  return {
    id: Number(text.slice(0, VERSION_PART_DIGITS)),
    revision: Number(text.slice(VERSION_PART_DIGITS)),
  };
}
