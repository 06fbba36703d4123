/** Larger values are copied into buffers of their own. */
const MAX_SHARED_BYTES = 4 * 1024;
const BLOCK_BYTES = 64 * 1024;

let block = new Uint8Array(BLOCK_BYTES);
let taken = 0;

/**
 * A copy of bytes that are only lent, a small one beside others in one buffer: a buffer of its own costs more than all
 * else that is done with it, here and when it is collected. Whoever keeps it for long copies it once more, or keeps
 * all of the others alive.
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
