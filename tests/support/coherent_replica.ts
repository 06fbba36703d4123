import { Chain } from "../../src/cache/chain.ts";
import { LocalGate } from "../../src/cache/local_gate.ts";
import { Tier } from "../../src/cache/tier.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Entry } from "../../src/core/entry.ts";
import type { EntryChange } from "../../src/core/entry_change.ts";
import { type CacheKey, cacheKey } from "../../src/core/key.ts";
import type { InvalidationState, LocalStore } from "../../src/core/ports.ts";
import { LruMemory } from "../../src/store/lru.ts";
import { RedisChanges } from "../../src/store/redis_changes.ts";
import { RedisClient } from "../../src/store/redis_client.ts";
import { RedisEntries } from "../../src/store/redis_entries.ts";
import { RedisInvalidations } from "../../src/store/redis_invalidations.ts";
import type { RedisAddress } from "./servers.ts";
import { waitFor } from "./wait_for.ts";

/** How a replica differs from the others. */
export interface CoherentReplicaOptions {
  readonly keyPrefix: string;
  readonly maxStaleMs?: number;
  readonly username?: string;
  readonly password?: string;
}

const KEY = cacheKey("n", "k");
const CALLER = { signal: new AbortController().signal };
const TIMEOUT_MS = 500;

/** A chain from local memory to a real Redis, as the service composes it; its methods are all about one key. */
export class CoherentReplica implements AsyncDisposable {
  readonly states: InvalidationState[] = [];
  readonly changes: RedisChanges;
  readonly #resources = new AsyncDisposableStack();
  readonly #local: LocalStore<Uint8Array>;
  readonly #chain: Chain<Uint8Array, EntryChange>;
  /** Called behind each invalidation of a key. */
  onInvalidated: (key: CacheKey) => void = () => {};

  constructor({ hostname, port }: RedisAddress, options: CoherentReplicaOptions) {
    const { keyPrefix, maxStaleMs = 0, username = "", password = "" } = options;
    const connect = () => {
      const account = { username, password, db: 0 };
      return this.#resources.use(
        new RedisClient({ hostname, port, ...account, connectTimeoutMs: 1000 }, () => {}),
      );
    };
    const observer = { tierFailed() {}, breakerChanged() {}, outboxWaiting() {}, fillDropped() {} };
    const tier = { name: "redis", readTimeoutMs: TIMEOUT_MS, writeTimeoutMs: TIMEOUT_MS };
    const data = connect();
    const gate = new LocalGate(systemClock, maxStaleMs);
    this.changes = new RedisChanges(data, keyPrefix, () => crypto.randomUUID());
    this.#local = gate.guard(
      new LruMemory({ maxBytes: 1e6, maxEntryBytes: 1e5 }, systemClock).byteStore(),
    );
    this.#chain = new Chain({
      local: this.#local,
      shared: undefined,
      authority: {
        store: new RedisEntries(this.changes, keyPrefix, systemClock),
        tier: new Tier(tier, systemClock, observer),
      },
      clock: systemClock,
      observer,
      newIntent: () => crypto.randomUUID(),
      backfillQueueSize: 10,
    });
    gate.tell(this.#chain);
    gate.tell({ invalidate: (key) => this.onInvalidated(key), invalidateAll() {} });
    this.#resources.use(
      new RedisInvalidations({
        data,
        listener: connect(),
        changes: this.changes,
        keyPrefix,
        target: gate,
        clock: systemClock,
        onState: (state) => this.states.push(state),
      }),
    );
  }

  get state(): InvalidationState | undefined {
    return this.states.at(-1);
  }

  /** Resolves once this is the last state. */
  async becomes(state: InvalidationState): Promise<void> {
    await waitFor(() => this.state === state, { what: `the state ${state}`, timeoutMs: 10_000 });
  }

  /** What local memory would answer. */
  get held(): string | undefined {
    return text(this.#local.get(KEY));
  }

  async read(): Promise<string | undefined> {
    return text(await this.#chain.get(KEY, CALLER));
  }

  async write(value: string): Promise<void> {
    await this.#chain.set(KEY, { value: new TextEncoder().encode(value), expiresAtMs: Infinity });
  }

  async delete(): Promise<void> {
    await this.#chain.delete(KEY);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

function text(entry: Entry<Uint8Array> | undefined): string | undefined {
  return entry && new TextDecoder().decode(entry.value);
}
