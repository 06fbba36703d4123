import { LocalMemory } from "../../../src/cache/local_memory.ts";
import type { Clock } from "../../../src/core/clock.ts";
import type { LruMemory } from "../../../src/store/memory/lru.ts";
import { keptAs } from "./kept_as.ts";

/** The part of the memory for one kind of entry; each entry takes 8 bytes. */
export function localTier<V>(memory: LruMemory, clock: Clock, random = () => 0.5): LocalMemory<V> {
  const kept = { entries: memory.store<V>(keptAs(8)), copies: memory.store(keptAs<never>(8)) };
  return new LocalMemory<V>({ ...kept, clock, random });
}
