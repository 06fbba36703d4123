/** What an idle connection keeps for its next octets. */
const IDLE_BYTES = 1024;
/** What a connection that sends as fast as it can reads at once. */
const BUSY_BYTES = 64 * 1024;
/** A buffer that was mostly empty so many times in a row becomes smaller. */
const SHRINK_AFTER_READS = 32;

/** A buffer that follows a connection's traffic: large while it is busy, small while it is not. */
export class ReadBuffer {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(IDLE_BYTES);
  #smallReads = 0;

  /** Learns from a read of `length` octets, all of which have been used. */
  adapt(length: number): void {
    if (length === this.bytes.length && length < BUSY_BYTES) this.#resize(length * 8);
    else if (length * 16 >= this.bytes.length || this.bytes.length === IDLE_BYTES) this.#smallReads = 0;
    else if (++this.#smallReads === SHRINK_AFTER_READS) this.#resize(this.bytes.length / 8);
  }

  #resize(size: number): void {
    this.#smallReads = 0;
    this.bytes = new Uint8Array(size);
  }
}
