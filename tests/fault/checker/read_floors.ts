import type { Bounds } from "./bounds.ts";
import type { History, Read } from "./history.ts";

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

/**
 * For each read, the start of the oldest read whose answer it may share: on a replica a read joins one in flight for
 * the same key. Reads are those of one key.
 *
 *     process 1   |--- get ---------|
 *     process 2        |- set -|
 *     process 1                  |- get -|     may join the first, and return the value before the set
 */
function oldestShared(reads: readonly Read[], lingerMs: number): Map<Read, number> {
  const oldest = new Map<Read, number>();
  const underWay = new Map<string, Read[]>();
  const endMs = (read: Read) => read.outcome.kind === "failed" ? read.endMs + lingerMs : read.endMs;
  for (const read of [...reads].sort((a, b) => a.startMs - b.startMs)) {
    const joinable = (underWay.get(read.process) ?? []).filter((other) => endMs(other) >= read.startMs);
    oldest.set(read, Math.min(read.startMs, ...joinable.map((other) => oldest.get(other)!)));
    underWay.set(read.process, [...joinable, read]);
  }
  return oldest;
}
