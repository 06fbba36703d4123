/** Local memory, and the configuration's options of namespaces and secrets as business rules and the cache take them. */
import { NamespacePolicies, type NamespacePolicy } from "../business/namespace_policies.ts";
import type { CopyPolicy } from "../cache/copy_policy.ts";
import { type Copy, COPY_BYTES, LocalCopies } from "../cache/local_copies.ts";
import type { LocalCoherence } from "../cache/local_coherence.ts";
import type { CacheConfig } from "../config/cache/cache.ts";
import type { CopyConfig, NamespaceConfig } from "../config/cache/namespaces.ts";
import { systemClock, systemRandom } from "../core/clock.ts";
import type { KeptValues } from "../store/memory/kept_values.ts";
import type { LruMemory } from "../store/memory/lru.ts";

/** The policies of all namespaces. */
export function namespacePolicies({ defaults, namespaces }: CacheConfig): NamespacePolicies {
  const own = namespaces.map((config) => [config.name, namespacePolicy(config)] as const);
  return new NamespacePolicies(namespacePolicy(defaults), new Map(own));
}

/** Undefined where memory keeps copies as long as their entries live and remembers nothing else: that costs least. */
export function copyPolicy(config: CopyConfig): CopyPolicy | undefined {
  if (config.localTtlMs === Infinity && config.negativeTtlMs === 0 && config.jitter === 0) return undefined;
  return {
    localTtlMs: config.localTtlMs,
    negativeTtlMs: config.negativeTtlMs,
    refreshAhead: config.refreshAhead,
    jitter: config.jitter,
  };
}

/** The part of the memory that keeps entries of one kind under a policy; undefined where memory is turned off. */
export function localCopies<V>(
  memory: LruMemory | undefined,
  coherence: LocalCoherence | undefined,
  values: KeptValues<V>,
): LocalCopies<V> | undefined {
  if (memory === undefined) return undefined;
  const store = memory.store(keptCopies(values));
  return new LocalCopies(coherence?.wrapCopies(store) ?? store, systemClock, systemRandom);
}

function keptCopies<V>({ bytesOf, owned }: KeptValues<V>): KeptValues<Copy<V>> {
  return {
    bytesOf: ({ found }) => COPY_BYTES + (found === undefined ? 0 : bytesOf(found.value)),
    owned(copy) {
      if (copy.found === undefined) return copy;
      const value = owned(copy.found.value);
      return value === copy.found.value ? copy : { ...copy, found: { ...copy.found, value } };
    },
  };
}

function namespacePolicy(config: NamespaceConfig): NamespacePolicy {
  const { defaultTtlMs, maxTtlMs, jitter } = config;
  return { defaultTtlMs, maxTtlMs, jitter, copies: copyPolicy(config) };
}
