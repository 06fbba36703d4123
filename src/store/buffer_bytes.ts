/** The typed array, its buffer's object, and what the allocator adds; by what the resident memory grows. */
const BUFFER_OVERHEAD_BYTES = 400;

/** What a value takes in memory that is in a typed array of its own. */
export function bufferBytes(value: Uint8Array): number {
  return value.length + BUFFER_OVERHEAD_BYTES;
}
