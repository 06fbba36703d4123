/** The smallest buffer: what a connection answers in one turn mostly fits, and so does a cut frame. */
const MIN_BUFFER_BYTES = 4 * 1024;
/** Larger buffers are freed at once: the collector would come for them when some 300 MiB have gathered. */
const MAX_KEPT_BUFFER_BYTES = 256 * 1024;
/** What the pool holds at most. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/**
 * Buffers that connections borrow while they have something to send, or have received half of something, so that an
 * idle one holds none. A buffer comes back with its old contents: every reader takes only what was written since.
 */
export class BufferPool {
  /** By size: each list has buffers that are twice as large as those of the one before. */
  readonly #free: Uint8Array<ArrayBuffer>[][] = Array.from(
    { length: sizeClass(MAX_KEPT_BUFFER_BYTES) + 1 },
    () => [],
  );
  #keptBytes = 0;

  /** A buffer of at least `minBytes`: the smallest that is there. */
  acquire(minBytes: number): Uint8Array<ArrayBuffer> {
    const smallest = sizeClass(minBytes);
    for (let size = smallest; size < this.#free.length; size++) {
      const kept = this.#free[size]!.pop();
      if (kept === undefined) continue;
      this.#keptBytes -= kept.length;
      return kept;
    }
    return new Uint8Array(smallest < this.#free.length ? MIN_BUFFER_BYTES << smallest : minBytes);
  }

  /** Takes back a buffer of {@link acquire} that nobody else holds any more. */
  release(buffer: Uint8Array<ArrayBuffer>): void {
    const { length } = buffer;
    if (length > MAX_KEPT_BUFFER_BYTES) buffer.buffer.transfer(0);
    if (length < MIN_BUFFER_BYTES || length > MAX_KEPT_BUFFER_BYTES) return;
    if (this.#keptBytes + length > MAX_KEPT_BYTES) return;
    this.#keptBytes += length;
    this.#free[sizeClass(length)]!.push(buffer);
  }
}

/** How often the smallest buffer has to be doubled until as many bytes fit. */
function sizeClass(bytes: number): number {
  return Math.max(0, Math.ceil(Math.log2(bytes / MIN_BUFFER_BYTES)));
}
