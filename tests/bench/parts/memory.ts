import { measureMemory, type MemoryUse } from "../memory.ts";
import type { Bench, Part } from "../part.ts";
import type { Row } from "../report/results.ts";
import { summarize } from "../report/statistics.ts";

const MEBIBYTE = 2 ** 20;

/** The memory of entries in L1. */
export const memory: Part = {
  name: "memory",
  title: "Memory of entries in L1",
  labels: ["entries", "key + value bytes"],
  note:
    "By how much a process's resident memory grows, garbage collected, and what `cache.local.max_bytes` counts " +
    "for the same entries. Each repeat is a process of its own.",
  measure,
};

async function* measure({ effort, signal }: Bench): AsyncGenerator<Row> {
  for (const entries of effort.memoryEntries) {
    const uses: MemoryUse[] = [];
    for (let run = 0; run < effort.runs; run++) {
      signal.throwIfAborted();
      uses.push(await measureMemory(entries));
    }
    const [{ keyBytes, valueBytes }] = uses as [MemoryUse];
    yield {
      labels: [entries.toLocaleString("en"), `${keyBytes} + ${valueBytes}`],
      figures: {
        residentMiB: summarize(uses.map(({ residentBytes }) => residentBytes / MEBIBYTE)),
        countedMiB: summarize(uses.map(({ accountedBytes }) => accountedBytes / MEBIBYTE)),
        bytesPerEntry: summarize(uses.map(({ residentBytes }) => residentBytes / entries)),
      },
    };
  }
}
