/**
 * The real memory of entries in L1: a process of its own fills an LruMemory as the service does, and compares the growth
 * of its resident memory with what LruMemory counts.
 */
import { systemClock } from "../../src/core/clock.ts";
import { cacheKey } from "../../src/core/key.ts";
import { UNVERSIONED } from "../../src/core/version.ts";
import { LruMemory, type LruOptions } from "../../src/store/memory/lru.ts";
import { memoryWithoutGarbage } from "../support/collect_garbage.ts";
import { printLine } from "../support/runner/print_line.ts";
import { entryKey } from "./load/requests.ts";

/** The stored value of each entry: an encoded Any. */
export const VALUE_BYTES = 100;
const NAMESPACE = "sessions";
const TTL_MS = 3_600_000;
const RECEIVED = new Uint8Array(VALUE_BYTES).fill(0x61);

const LIMITS: LruOptions = { maxBytes: Number.MAX_SAFE_INTEGER, maxEntryBytes: 2 ** 20 };
const WARM_UP_MEMORY_BYTES = 2 ** 20;
const WARM_UP_ENTRIES = 500_000;

/** Fewer entries are measured in several memories at once: otherwise free room in the heap would hide them. */
const MIN_MEASURED_ENTRIES = 100_000;

/** The memory of a number of entries. */
export interface MemoryUse {
  readonly entries: number;
  /** The characters of a key, its namespace included. */
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** What LruMemory counts. */
  readonly accountedBytes: number;
  /** By how much the resident memory has grown. */
  readonly residentBytes: number;
  /** The overhead of an entry beside its key and value, by the resident memory. */
  readonly overheadBytes: number;
}

/** Measures in a fresh process. */
export async function measureMemory(entries: number): Promise<MemoryUse> {
  const self = decodeURIComponent(new URL(import.meta.url).pathname);
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--v8-flags=--expose-gc", "--allow-read", self, String(entries)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot measure the memory of ${entries} entries, see above`);
  return JSON.parse(new TextDecoder().decode(stdout)) as MemoryUse;
}

/** Measures in this process. */
async function measure(entries: number): Promise<MemoryUse> {
  // Entries that come and go first grow the heap's young generation, which must not count for the measured entries.
  // They share a value: buffers that an allocator keeps would hide the memory of later ones.
  const passing = new LruMemory({ ...LIMITS, maxBytes: WARM_UP_MEMORY_BYTES }, systemClock);
  fill(passing, WARM_UP_ENTRIES, () => RECEIVED);
  const count = Math.ceil(MIN_MEASURED_ENTRIES / entries);
  const memories = Array.from({ length: count }, () => new LruMemory(LIMITS, systemClock));
  const before = (await memoryWithoutGarbage()).rss;
  // As in Namespaces.set(), the entry owns a copy of the received bytes.
  for (const memory of memories) fill(memory, entries, () => new Uint8Array(RECEIVED));
  const resident = ((await memoryWithoutGarbage()).rss - before) / count;
  const [memory] = memories;
  if (memory?.entryCount !== entries) {
    throw new Error(`There are ${memory?.entryCount} entries, not ${entries}`);
  }
  const keyBytes = cacheKey(NAMESPACE, entryKey(0)).length;
  return {
    entries,
    keyBytes,
    valueBytes: VALUE_BYTES,
    accountedBytes: memory.usedBytes,
    residentBytes: resident,
    overheadBytes: resident / entries - keyBytes - VALUE_BYTES,
  };
}

function fill(memory: LruMemory, entries: number, newValue: () => Uint8Array): void {
  const store = memory.byteStore();
  for (let index = 0; index < entries; index++) {
    const expiresAtMs = systemClock.now() + TTL_MS;
    store.set(cacheKey(NAMESPACE, entryKey(index)), { value: newValue(), expiresAtMs, version: UNVERSIONED });
  }
}

if (import.meta.main) printLine(JSON.stringify(await measure(Number(Deno.args[0]))));
