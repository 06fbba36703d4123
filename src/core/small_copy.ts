/** Larger values get buffers of their own. */
const MAX_SHARED_BYTES = 4 * 1024;
const BLOCK_BYTES = 64 * 1024;

let block = new Uint8Array(BLOCK_BYTES);
let taken = 0;

/**
 * A copy of bytes; small copies share one buffer, because a buffer each costs more than all the other work with them. A
 * copy keeps its whole buffer alive, so copy it once more to keep it for long.
 */
export function smallCopy(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_SHARED_BYTES) return new Uint8Array(bytes);
  if (taken + bytes.length > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    taken = 0;
  }
  const copy = new Uint8Array(block.buffer, taken, bytes.length);
  copy.set(bytes);
  taken += bytes.length;
  return copy;
}
