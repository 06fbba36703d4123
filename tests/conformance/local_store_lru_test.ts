import { LruMemory } from "../../src/store/memory/lru.ts";
import { localStoreSuite } from "./local_store_suite.ts";

localStoreSuite("LruMemory", (limits, clock) => {
  const memory = new LruMemory(limits, clock);
  return {
    store: memory.byteStore(),
    sibling: memory.store({ bytesOf: (value: string) => value.length, owned: (value) => value }),
    usedBytes: () => memory.usedBytes,
  };
});
