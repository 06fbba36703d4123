import type { CacheKey } from "../../../src/core/key.ts";
import type { Secret } from "../../../src/core/secret.ts";
import type { SharedCache } from "../../../src/core/ports.ts";
import { ANY_EPOCH } from "../../../src/core/ports.ts";
import {
  type DirectSet,
  EPOCH,
  type RedisArgument,
  type RedisCommands,
  type RedisScript,
  redisScript,
} from "../../../src/store/redis/commands.ts";
import { redisLeaseKey } from "../../../src/store/redis/lease_key.ts";
import { RedisSecrets } from "../../../src/store/redis/secrets.ts";
import type { FragileCache, Part } from "../../conformance/fragile_cache.ts";
import type { RedisProbe } from "./probe.ts";

const SET = redisScript(
  "if ARGV[2] == 'Infinity' then redis.call('SET', KEYS[1], ARGV[1]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end",
);

/** The saved value of a key. */
interface Saved {
  readonly bytes: Uint8Array;
  readonly ttlMs: number;
}

/** One key of a real Redis with simulated restarts: these put the saved value back, and give scripts another epoch. */
export class FragileRedis implements FragileCache {
  readonly store: SharedCache<Secret>;
  readonly #redis: RedisProbe;
  readonly #keys: { readonly value: string; readonly lease?: string };
  readonly #connection: Connection;
  #saved: ReadonlyMap<string, Saved> = new Map();

  constructor(redis: RedisProbe, key: CacheKey, tombstoneTtlMs: number) {
    const leaseKey = redisLeaseKey(redis.keyPrefix, key);
    this.#redis = redis;
    this.#keys = { value: redis.keyPrefix + key, ...(leaseKey !== undefined && { lease: leaseKey }) };
    this.#connection = new Connection(redis.client);
    this.store = this.withTombstoneTtl(tombstoneTtlMs);
  }

  withTombstoneTtl(tombstoneTtlMs: number): SharedCache<Secret> {
    return new RedisSecrets(this.#connection, this.#redis.keyPrefix, {
      clock: this.#redis.clock,
      newName: () => crypto.randomUUID(),
      tombstoneTtlMs,
    });
  }

  timeLeftMs(): Promise<number> {
    return this.#redis.timeLeftAtMs(this.#keys.value);
  }

  async lose(...parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      const key = this.#keys[part];
      if (key !== undefined) await this.#redis.client.call("DEL", key);
    }
  }

  async save(): Promise<void> {
    const saved = new Map<string, Saved>();
    for (const key of Object.values(this.#keys)) {
      const bytes = await this.#redis.bytesAt(key);
      if (bytes !== undefined) saved.set(key, { bytes, ttlMs: await this.#redis.timeLeftAtMs(key) });
    }
    this.#saved = saved;
  }

  async restart(): Promise<void> {
    await this.lose("value", "lease");
    for (const [key, { bytes, ttlMs }] of this.#saved) {
      if (ttlMs > 0) await this.#redis.client.run(SET, [key], bytes, ttlMs);
    }
    this.#connection.scriptEpoch++;
  }
}

/** Sends on another connection, with an epoch of its own. */
class Connection implements RedisCommands {
  readonly spansSlots = true;
  readonly epoch = ANY_EPOCH;
  readonly #client: RedisCommands;
  scriptEpoch = 1;

  constructor(client: RedisCommands) {
    this.#client = client;
  }

  ping(): Promise<void> {
    return this.#client.ping();
  }

  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    return this.#client.run(script, keys, ...this.#withEpoch(args));
  }

  setBy(incomingKey: string, change: DirectSet): Promise<void> {
    return this.#client.setBy(incomingKey, change);
  }

  change(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<void> {
    return this.#client.change(script, keys, ...this.#withEpoch(args));
  }

  recheckEpoch(): void {}

  #withEpoch(args: readonly RedisArgument[]): RedisArgument[] {
    return args.map((arg) => arg === EPOCH ? `epoch ${this.scriptEpoch}`.padEnd(16) : arg);
  }
}
