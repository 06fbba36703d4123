import type { BufferPool } from "../buffer_pool.ts";
import { Status } from "../status.ts";
import { CallError } from "./call_error.ts";

/** A compressed-flag and a length before every message. Source: PROTOCOL-HTTP2.md, Length-Prefixed-Message. */
export const PREFIX_BYTES = 5;

/** What a cut message's buffer starts with: a length alone, which costs a client nothing, reserves no more. */
const FIRST_BUFFER_BYTES = 4 * 1024;
/** How much more than has arrived may be reserved for what is still to come. */
const GROWTH = 4;
const EMPTY = new Uint8Array(0);

/** Octets that all calls of a connection may hold of messages that are not complete. */
export class BufferBudget {
  #leftBytes: number;

  constructor(bytes: number) {
    this.#leftBytes = bytes;
  }

  /** Takes octets of the budget, or gives them back (below 0); false when there are not enough. */
  take(bytes: number): boolean {
    if (bytes > this.#leftBytes) return false;
    this.#leftBytes -= bytes;
    return true;
  }
}

export interface MessageReaderOptions {
  readonly maxMessageBytes: number;
  readonly budget: BufferBudget;
  readonly pool: BufferPool;
  /** Takes a message, compressed or not. The bytes are valid until the turn that completed them ends. */
  onMessage(bytes: Uint8Array, isCompressed: boolean): void;
  /** Takes the buffer of a message that {@link onMessage} was given, for the pool at the end of the turn. */
  retire(buffer: Uint8Array<ArrayBuffer>): void;
}

/**
 * Cuts the body of a request into messages, however DATA frames cut it. A message that lies whole in the octets
 * at hand is passed on in place; only others are copied.
 */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixLength = 0;
  #messageBytes = 0;
  #buffer: Uint8Array<ArrayBuffer> = EMPTY;
  #bufferLength = 0;
  /** What the buffer was asked for and counts for; the pool may have had a larger one only. */
  #reservedBytes = 0;
  #isReleased = false;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  /** Whether a message has begun and not ended. */
  get isInsideMessage(): boolean {
    return this.#prefixLength > 0;
  }

  /** @throws {CallError} for a prefix that is not accepted; nothing more may be pushed then. */
  push(bytes: Uint8Array, start: number, end: number): void {
    let offset = start;
    while (offset < end && !this.#isReleased) {
      if (this.#prefixLength < PREFIX_BYTES) {
        this.#prefix[this.#prefixLength++] = bytes[offset++]!;
        if (this.#prefixLength < PREFIX_BYTES) continue;
        this.#messageBytes = this.#checkedLength();
      }
      const available = Math.min(end - offset, this.#messageBytes - this.#bufferLength);
      if (this.#bufferLength === 0 && available === this.#messageBytes) {
        this.#emit(bytes.subarray(offset, offset + available));
      } else {
        this.#keep(bytes, offset, offset + available);
      }
      offset += available;
    }
  }

  /** Gives back what is held of an incomplete message, and takes nothing more: a message may have ended its call. */
  release(): void {
    this.#isReleased = true;
    this.#options.pool.release(this.#takeBuffer());
  }

  #takeBuffer(): Uint8Array<ArrayBuffer> {
    const buffer = this.#buffer;
    this.#options.budget.take(-this.#reservedBytes);
    this.#reservedBytes = 0;
    this.#buffer = EMPTY;
    this.#bufferLength = 0;
    return buffer;
  }

  #checkedLength(): number {
    const flag = this.#prefix[0]!;
    if (flag > 1) {
      throw new CallError(Status.INTERNAL, `compressed-flag of a message is ${flag}, expected 0 or 1`);
    }
    const length = new DataView(this.#prefix.buffer).getUint32(1);
    checkLength(length, this.#options.maxMessageBytes);
    return length;
  }

  #emit(message: Uint8Array): void {
    this.#prefixLength = 0;
    this.#options.onMessage(message, this.#prefix[0] === 1);
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#bufferLength + end - start;
    if (needed > this.#reservedBytes) this.#grow(needed);
    this.#buffer.set(bytes.subarray(start, end), this.#bufferLength);
    this.#bufferLength = needed;
    if (needed < this.#messageBytes) return;
    const buffer = this.#takeBuffer();
    this.#emit(buffer.subarray(0, needed));
    this.#options.retire(buffer);
  }

  #grow(needed: number): void {
    const wanted = Math.max(needed, FIRST_BUFFER_BYTES, GROWTH * this.#reservedBytes);
    const size = Math.min(wanted, this.#messageBytes);
    if (!this.#options.budget.take(size - this.#reservedBytes)) {
      throw new CallError(
        Status.RESOURCE_EXHAUSTED,
        "too many octets of incomplete messages on this connection",
      );
    }
    const larger = this.#options.pool.acquire(size);
    larger.set(this.#buffer.subarray(0, this.#bufferLength));
    this.#options.pool.release(this.#buffer);
    this.#buffer = larger;
    this.#reservedBytes = size;
  }
}

/** @throws {CallError} RESOURCE_EXHAUSTED for a message above the limit. */
export function checkLength(length: number, maxMessageBytes: number): void {
  if (length <= maxMessageBytes) return;
  throw new CallError(
    Status.RESOURCE_EXHAUSTED,
    `Received message is ${length} bytes, expected at most ${maxMessageBytes}`,
  );
}
