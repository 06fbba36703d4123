/** The smallest buffer. Most turns' responses and most cut frames fit in it. */
const MIN_BUFFER_BYTES = 4 * 1024;
/** Larger buffers are freed at once: the collector would wait until some 300 MiB of them exist. */
const MAX_KEPT_BUFFER_BYTES = 256 * 1024;
/** The most that the pool holds. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/**
 * Buffers that connections borrow while they have output or an incomplete frame, so that an idle connection holds
 * none. A buffer keeps its old contents: readers use only what was written after {@link acquire}.
 */
export class BufferPool {
  /** By size: the buffers of each list are twice as large as those of the list before. */
  readonly #free: Uint8Array<ArrayBuffer>[][] = Array.from(
    { length: sizeClass(MAX_KEPT_BUFFER_BYTES) + 1 },
    () => [],
  );
  #keptBytes = 0;

  /** The smallest free buffer of at least `minBytes`, else a new one. */
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

  /** Takes back a buffer of {@link acquire}. The caller must not use it any more. */
  release(buffer: Uint8Array<ArrayBuffer>): void {
    const { length } = buffer;
    if (length > MAX_KEPT_BUFFER_BYTES) buffer.buffer.transfer(0);
    if (length < MIN_BUFFER_BYTES || length > MAX_KEPT_BUFFER_BYTES) return;
    if (this.#keptBytes + length > MAX_KEPT_BYTES) return;
    this.#keptBytes += length;
    this.#free[sizeClass(length)]!.push(buffer);
  }
}

/** How often the smallest buffer doubles until `bytes` fit. */
function sizeClass(bytes: number): number {
  return Math.max(0, Math.ceil(Math.log2(bytes / MIN_BUFFER_BYTES)));
}
