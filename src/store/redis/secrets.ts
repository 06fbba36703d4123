import type { Clock } from "../../core/clock.ts";
import { type Entry, timeLeftMs } from "../../core/entry.ts";
import { ServiceError } from "../../core/errors.ts";
import type { CacheKey } from "../../core/key.ts";
import type { Epoch, SharedCache, SharedEpoch, SharedRead } from "../../core/ports.ts";
import type { Secret } from "../../core/secret.ts";
import type { Version } from "../../core/version.ts";
import { type BatchScript, RedisBatches } from "./batches.ts";
import { EPOCH, type RedisCommands } from "./commands.ts";
import { redisLeaseKey } from "./lease_key.ts";
import {
  ANNOUNCE,
  FILL,
  FORMAT_ENTRY,
  FORMAT_TOMBSTONE,
  PAYLOAD_START,
  PUBLISH,
  READ,
  RETRACT,
  VERSION_PART_DIGITS,
  WRITE_TOMBSTONE,
} from "./secret_scripts.ts";
import { type RedisValue, redisValue, valuesWithTtls } from "./values.ts";
import { decodeSecret, encodeSecret } from "./secret_codec.ts";

/** How long a tombstone lasts: longer than any request, see {@link SharedCache}. */
export const TOMBSTONE_TTL_MS = 60_000;

export interface RedisSecretsOptions {
  readonly clock: Clock;
  /** Makes a UUID. */
  readonly newName: () => string;
  readonly tombstoneTtlMs?: number;
}

/** The most secrets that a script reads or fills, in about 0.1 ms. */
const MAX_SECRETS = 32;

/** A secret's key and its lease's; its own key twice if it cannot have a lease. */
type KeyPair = readonly [entry: string, lease: string];

interface ReadRequest {
  readonly keys: KeyPair;
  /** The text of the new lease on a miss. */
  readonly lease: string;
}

interface FillRequest {
  readonly keys: KeyPair;
  /** The lease's text, version, payload, TTL. */
  readonly arguments: readonly [string, string, string, number];
}

interface ReadResult {
  readonly found: SharedRead<Secret>;
  /** Whether it is a miss because the stored entry or lease is of another epoch. */
  readonly metAnotherEpoch: boolean;
}

const READS: BatchScript<ReadRequest, ReadResult> = {
  script: READ,
  maxRequests: MAX_SECRETS,
  keysOf: (requests) => requests.flatMap(({ keys }) => keys),
  argumentsOf: (requests) => [EPOCH, ...requests.map(({ lease }) => lease)],
  read(reply, _requests, sentAtMs) {
    const { values, ttls } = valuesWithTtls(reply);
    return { count: ttls.length, at: (index) => readResult(values[index], ttls[index]!, sentAtMs) };
  },
};

const FILLS: BatchScript<FillRequest, void> = {
  script: FILL,
  maxRequests: MAX_SECRETS,
  keysOf: (requests) => requests.flatMap(({ keys }) => keys),
  argumentsOf: (requests) => [EPOCH, ...requests.flatMap((request) => request.arguments)],
  read: (_reply, { length }) => ({ count: length, at() {} }),
};

/** Secrets in Redis, between local memory and the database; secret_scripts.ts has the rules and the layout. */
export class RedisSecrets implements SharedCache<Secret> {
  readonly #client: RedisCommands;
  readonly #keyPrefix: string;
  readonly #clock: Clock;
  readonly #tombstoneTtlMs: number;
  readonly #reads: RedisBatches<ReadRequest, ReadResult>;
  readonly #fills: RedisBatches<FillRequest, void>;
  readonly #leaseNames: string;
  readonly epoch: SharedEpoch;
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
    this.#reads = new RedisBatches(client, clock, READS);
    this.#fills = new RedisBatches(client, clock, FILLS);
    this.#leaseNames = `${newName()} `;
    this.epoch = {
      get current() {
        return client.epoch;
      },
      async confirm() {
        const { epoch } = client;
        await client.ping();
        if (client.epoch !== epoch) {
          throw new Error("Cannot confirm the epoch of Redis: the connection was replaced");
        }
      },
      recheck: () => client.recheckEpoch(keyPrefix),
    };
  }

  async read(key: CacheKey): Promise<SharedRead<Secret>> {
    const keys = this.#keyPair(key);
    const lease = `${this.#leaseNames}${++this.#lastLease}`;
    const { found, metAnotherEpoch } = await this.#reads.run({ keys, lease });
    if (metAnotherEpoch) this.#client.recheckEpoch(keys[0]);
    return found;
  }

  async announce(key: CacheKey, intent: string): Promise<Epoch> {
    const { epoch } = this.#client;
    await this.#client.change(ANNOUNCE, this.#keys(key), EPOCH, intent, this.#tombstoneTtlMs);
    if (epoch !== undefined && this.#client.epoch === epoch) return epoch;
    throw new Error("Cannot announce a change: the connection to Redis was replaced meanwhile");
  }

  async publish(key: CacheKey, intent: string, entry: Entry<Secret>): Promise<void> {
    const put = this.#arguments(entry);
    await this.#client.change(PUBLISH, this.#keys(key), EPOCH, intent, this.#tombstoneTtlMs, ...put);
  }

  async writeTombstone(key: CacheKey, intent: string, version: Version | undefined): Promise<void> {
    const atLeast = encodeVersion(version ?? { id: 0, revision: 0 });
    const args = [EPOCH, intent, this.#tombstoneTtlMs, atLeast] as const;
    await this.#client.change(WRITE_TOMBSTONE, this.#keys(key), ...args);
  }

  async retract(key: CacheKey, intent: string): Promise<void> {
    await this.#client.change(RETRACT, this.#keys(key), EPOCH, intent, this.#tombstoneTtlMs);
  }

  fill(key: CacheKey, lease: string, entry: Entry<Secret>): Promise<void> {
    return this.#fills.run({ keys: this.#keyPair(key), arguments: [lease, ...this.#arguments(entry)] });
  }

  /** The secret's key and, if it can have a lease, that key. */
  #keys(key: CacheKey): readonly [string, ...string[]] {
    const leaseKey = redisLeaseKey(this.#keyPrefix, key);
    return leaseKey === undefined ? [this.#keyPrefix + key] : [this.#keyPrefix + key, leaseKey];
  }

  #keyPair(key: CacheKey): KeyPair {
    const entryKey = this.#keyPrefix + key;
    return [entryKey, redisLeaseKey(this.#keyPrefix, key) ?? entryKey];
  }

  /** Version, payload and TTL, which is 0 if the entry never expires. */
  #arguments(entry: Entry<Secret>): [string, string, number] {
    const leftMs = timeLeftMs(entry, this.#clock);
    const ttlMs = leftMs === Infinity ? 0 : Math.max(1, leftMs);
    return [encodeVersion(entry.version), encodeSecret(entry.value), ttlMs];
  }
}

const DECODER = new TextDecoder();

/** ASCII. */
const DIGIT_0 = 0x30;

/** `ttl` is a number, or a mark of {@link READ}. */
function readResult(value: unknown, ttl: string, sentAtMs: number): ReadResult {
  if (ttl === "-" || ttl === "d") {
    const lease = value instanceof Uint8Array ? DECODER.decode(value) : undefined;
    return { found: { lease }, metAnotherEpoch: ttl === "d" };
  }
  return { found: secretIn(redisValue(value, ttl, sentAtMs)!), metAnotherEpoch: false };
}

function secretIn({ bytes, expiresAtMs }: RedisValue): SharedRead<Secret> {
  const format = bytes[0];
  if (format === FORMAT_TOMBSTONE) return "tombstone";
  if (format === FORMAT_ENTRY) {
    return { value: decodeSecret(bytes.subarray(PAYLOAD_START)), expiresAtMs, version: decodeVersion(bytes) };
  }
  throw new ServiceError(
    "internal",
    `Cannot read a secret in Redis: format byte ${format}, expected ${FORMAT_ENTRY} or ${FORMAT_TOMBSTONE}`,
  );
}

/** Fixed width, so that texts and versions have the same order in every locale of Redis's Lua. */
function encodeVersion(version: Version): string {
  return digits(version.id) + digits(version.revision);
}

function digits(part: number): string {
  return String(part).padStart(VERSION_PART_DIGITS, "0");
}

function decodeVersion(bytes: Uint8Array): Version {
  return { id: decodeDigits(bytes, 1), revision: decodeDigits(bytes, 1 + VERSION_PART_DIGITS) };
}

function decodeDigits(bytes: Uint8Array, start: number): number {
  let number = 0;
  for (let at = start; at < start + VERSION_PART_DIGITS; at++) number = number * 10 + (bytes[at]! - DIGIT_0);
  return number;
}
