import type { BufferPool } from "./buffer_pool.ts";

const EMPTY = new Uint8Array(0);

/**
 * Octets to be written to a connection, in one borrowed buffer that grows. Writers reserve room first and may then
 * store by index:
 *
 *     bytes  [ written ........ | reserved ... | free ]
 *              0          length^
 */
export class OutputBuffer {
  /** The buffer; valid until the next {@link reserve}, {@link append} or {@link take}. */
  bytes: Uint8Array<ArrayBuffer> = EMPTY;
  /** Octets written. */
  length = 0;
  readonly #pool: BufferPool;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Makes room for `byteCount` octets after `length`. */
  reserve(byteCount: number): void {
    const needed = this.length + byteCount;
    if (needed > this.bytes.length) this.#grow(needed);
  }

  push(octet: number): void {
    this.reserve(1);
    this.bytes[this.length++] = octet;
  }

  append(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** Hands over what has been written and starts empty. Return it with {@link release}. */
  take(): Uint8Array<ArrayBuffer> {
    const written = this.bytes.subarray(0, this.length);
    this.bytes = EMPTY;
    this.length = 0;
    return written;
  }

  /** Returns the buffer of an earlier {@link take} to the pool. The caller must not read it any more. */
  release(taken: Uint8Array<ArrayBuffer>): void {
    this.#pool.release(new Uint8Array(taken.buffer));
  }

  /** Drops what has not been taken. */
  clear(): void {
    this.#pool.release(this.bytes);
    this.bytes = EMPTY;
    this.length = 0;
  }

  #grow(needed: number): void {
    const larger = this.#pool.acquire(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.#pool.release(this.bytes);
    this.bytes = larger;
  }
}
