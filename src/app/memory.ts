/** Local memory, and the configuration's options of namespaces and secrets as business rules and the cache take them. */
import { NamespacePolicies, type NamespacePolicy } from "../business/namespace_policies.ts";
import { type Copy, COPY_BYTES, LocalMemory } from "../cache/local_memory.ts";
import type { CacheConfig } from "../config/cache/cache.ts";
import type { NamespaceConfig } from "../config/cache/namespaces.ts";
import { systemClock, systemRandom } from "../core/clock.ts";
import type { CopyPolicy } from "../core/policies.ts";
import type { LocalStore } from "../core/ports.ts";
import type { KeptValues } from "../store/memory/kept_values.ts";
import type { LruMemory } from "../store/memory/lru.ts";

/** The policies of all namespaces. */
export function namespacePolicies({ defaults, namespaces }: CacheConfig): NamespacePolicies {
  const own = namespaces.map((config) => [config.name, namespacePolicy(config)] as const);
  return new NamespacePolicies(namespacePolicy(defaults), new Map(own));
}

/** Undefined if copies live as long as their entries and absence is not remembered: that costs least. */
export function copyPolicy(config: CopyPolicy): CopyPolicy | undefined {
  const { localTtlMs, negativeTtlMs, jitter } = config;
  return localTtlMs === Infinity && negativeTtlMs === 0 && jitter === 0 ? undefined : config;
}

/** The part of the memory that keeps entries of one kind; `entries` holds those without a policy. */
export function localMemory<V>(
  memory: LruMemory,
  entries: LocalStore<V>,
  values: KeptValues<V>,
): LocalMemory<V> {
  const copies = memory.store(keptCopies(values));
  return new LocalMemory({ entries, copies, clock: systemClock, random: systemRandom });
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
