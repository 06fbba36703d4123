/** A new buffer's size: what a busy connection answers in one turn fits. */
const BUFFER_BYTES = 16 * 1024;
/** Larger buffers go back to the collector, so that one large answer does not stay in memory. */
const MAX_KEPT_BUFFER_BYTES = 256 * 1024;
const MAX_KEPT_BUFFERS = 32;

/**
 * Output buffers that connections borrow while they have something to send, so that an idle one holds none.
 * A buffer comes back with its old contents: every reader takes only what was written since.
 */
export class BufferPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /** A buffer of at least `minBytes`. */
  acquire(minBytes: number): Uint8Array<ArrayBuffer> {
    const kept = this.#free.pop();
    if (kept !== undefined && kept.length >= minBytes) return kept;
    return new Uint8Array(Math.max(minBytes, BUFFER_BYTES));
  }

  /** Takes back a buffer that nobody else holds any more. */
  release(buffer: Uint8Array<ArrayBuffer>): void {
    if (
      buffer.length >= BUFFER_BYTES && buffer.length <= MAX_KEPT_BUFFER_BYTES &&
      this.#free.length < MAX_KEPT_BUFFERS
    ) {
      this.#free.push(buffer);
    }
  }
}
