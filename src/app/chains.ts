/** Joins local memory and the stores to two chains of tiers: one for entries, one for secrets. */
import { Chain, type ChainOptions } from "../cache/chain.ts";
import { LocalCoherence } from "../cache/local_coherence.ts";
import type { LocalTier } from "../cache/local_memory.ts";
import type { CacheConfig } from "../config/cache/cache.ts";
import { systemClock } from "../core/clock.ts";
import type { EntryChange } from "../core/entry.ts";
import { covers, type Secret, type SecretChange } from "../core/secret.ts";
import type { LogObserver } from "../observe/log_observer.ts";
import { KEPT_BYTES, KEPT_SECRETS } from "../store/memory/kept_values.ts";
import { LruMemory } from "../store/memory/lru.ts";
import { localMemory } from "./memory.ts";
import type { Stores } from "./stores.ts";

/** The two chains. */
export interface Chains {
  readonly entries: Chain<Uint8Array, EntryChange>;
  readonly secrets: Chain<Secret, SecretChange>;
  /** Whether the chains begin with local memory. */
  readonly haveMemory: boolean;
}

/** Makes the chains; resolves once local memory is subscribed to the changes of other replicas, if there may be any. */
export async function makeChains(
  config: CacheConfig,
  stores: Stores,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): Promise<Chains> {
  const memory = config.local.disabled ? undefined : new LruMemory(config.local, systemClock);
  const coherence = memory === undefined || stores.subscribe === undefined
    ? undefined
    : new LocalCoherence(systemClock, config.local.maxStaleMs);
  const coherent = <V>(local: LocalTier<V>) => coherence?.wrap(local) ?? local;
  const common = {
    clock: systemClock,
    observer,
    newIntent: () => crypto.randomUUID(),
    backfillQueueSize: config.backfillQueueSize,
  };
  const entries = resources.use(chain({
    ...common,
    local: memory && coherent(localMemory(memory, memory.byteStore(), KEPT_BYTES)),
    shared: undefined,
    authority: stores.entries,
    keepsWrites: stores.subscribe === undefined,
  }));
  const secrets = resources.use(chain({
    ...common,
    local: memory && coherent(localMemory(memory, memory.store(KEPT_SECRETS), KEPT_SECRETS)),
    shared: stores.sharedSecrets && { ...stores.sharedSecrets, covers },
    authority: stores.secrets,
  }));
  if (coherence !== undefined) {
    coherence.subscribe(entries);
    coherence.subscribe(secrets);
    await stores.subscribe?.(coherence);
  }
  return { entries, secrets, haveMemory: memory !== undefined };
}

function chain<V, C>(options: ChainOptions<V, C>): Chain<V, C> {
  return new Chain(options);
}
