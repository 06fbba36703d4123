import { measureMemory } from "../memory.ts";
import type { Bench, Part } from "../part.ts";
import type { Row } from "../report/results.ts";
import { summarize } from "../report/statistics.ts";

const MEBIBYTE = 2 ** 20;

/** What entries in local memory take of the machine's. */
export const memory: Part = {
  name: "memory",
  title: "Memory of entries in L1",
  labels: ["entries", "key + value bytes"],
  note:
    "By how much a process's resident memory grows, garbage collected, and what `cache.local.max_bytes` counts " +
    "for the same entries. Measured once each.",
  measure,
};

async function* measure({ effort, signal }: Bench): AsyncGenerator<Row> {
  for (const entries of effort.memoryEntries) {
    signal.throwIfAborted();
    const { keyBytes, valueBytes, residentBytes, accountedBytes } = await measureMemory(entries);
    yield {
      labels: [entries.toLocaleString("en"), `${keyBytes} + ${valueBytes}`],
      figures: {
        residentMiB: summarize([residentBytes / MEBIBYTE]),
        countedMiB: summarize([accountedBytes / MEBIBYTE]),
        bytesPerEntry: summarize([residentBytes / entries]),
      },
    };
  }
}
