import type { Bounds } from "./bounds.ts";
import type { History, Read } from "./history.ts";
import { oldestShared } from "./shared_reads.ts";

/**
 * For each read, how old its answer may be, as an instant. Newer changes that its own replica acknowledged must show in
 * any case. Reads are those of one key.
 */
export function readFloors(
  reads: readonly Read[],
  { faults, settledMs }: History,
  bounds: Bounds,
): Map<Read, number> {
  const graceMs = (read: Read): number => {
    if (read.startMs >= settledMs) return 0;
    const isDisturbed = faults.some(({ startMs, endMs }) =>
      startMs <= read.endMs && read.startMs <= endMs + bounds.recoveryMs
    );
    return bounds.graceMs[read.family][isDisturbed ? "disturbed" : "calm"];
  };
  const floors = oldestShared(reads, bounds.lingerMs);
  for (const [read, floorMs] of floors) floors.set(read, floorMs - graceMs(read));
  return floors;
}
