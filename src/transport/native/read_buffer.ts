/** The buffer of an idle connection. */
const IDLE_BYTES = 1024;
/** The buffer of a connection whose client sends as fast as it can. */
const BUSY_BYTES = 64 * 1024;
/** A buffer shrinks after this many mostly empty reads in a row. */
const SHRINK_AFTER_READS = 32;

/** A read buffer that adapts to a connection's traffic: large while it is busy, small while it is idle. */
export class ReadBuffer {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(IDLE_BYTES);
  #smallReads = 0;

  /** Adapts to a read of `length` octets. The octets must have been used: the buffer may be replaced. */
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
