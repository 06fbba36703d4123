/** A new buffer's size: what a connection answers in one turn mostly fits. */
const BUFFER_BYTES = 4 * 1024;
/** Larger buffers go back to the collector, so that one large answer does not stay in memory. */
const MAX_KEPT_BUFFER_BYTES = 256 * 1024;
/** What the pool holds at most. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/**
 * Output buffers that connections borrow while they have something to send, so that an idle one holds none.
 * A buffer comes back with its old contents: every reader takes only what was written since.
 */
export class BufferPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #keptBytes = 0;

  /** A buffer of at least `minBytes`. */
  acquire(minBytes: number): Uint8Array<ArrayBuffer> {
    const kept = this.#free.pop();
    if (kept === undefined) return new Uint8Array(Math.max(minBytes, BUFFER_BYTES));
    this.#keptBytes -= kept.length;
    return kept.length >= minBytes ? kept : new Uint8Array(minBytes);
  }

  /** Takes back a buffer that nobody else holds any more. */
  release(buffer: Uint8Array<ArrayBuffer>): void {
    const { length } = buffer;
    if (length < BUFFER_BYTES || length > MAX_KEPT_BUFFER_BYTES) return;
    if (this.#keptBytes + length > MAX_KEPT_BYTES) return;
    this.#keptBytes += length;
    this.#free.push(buffer);
  }
}
