import type { BufferPool } from "../buffer_pool.ts";
import { Status } from "../status.ts";
import { CallError } from "./error_status.ts";
import type { MessageMemory } from "./message_memory.ts";

/** A compressed-flag and a length before every message. Source: PROTOCOL-HTTP2.md, Length-Prefixed-Message. */
export const PREFIX_BYTES = 5;

/** The first buffer of a cut message. A prefix costs a client nothing, so its length alone reserves no more. */
const FIRST_BUFFER_BYTES = 4 * 1024;
/** How much a buffer grows with room in memory, and with little room. */
const GROWTH = 2;
const SCARCE_GROWTH = 1.25;
const EMPTY = new Uint8Array(0);

/** The octets that calls of one connection may hold of incomplete messages. They also count in the server's memory. */
export class BufferBudget {
  readonly #memory: MessageMemory;
  #leftBytes: number;

  constructor(bytes: number, memory: MessageMemory) {
    this.#leftBytes = bytes;
    this.#memory = memory;
  }

  /** Takes octets of the budget. Returns false when there are not enough. */
  acquire(bytes: number): boolean {
    if (bytes > this.#leftBytes || !this.#memory.acquire(bytes)) return false;
    this.#leftBytes -= bytes;
    return true;
  }

  get isScarce(): boolean {
    return this.#memory.isScarce;
  }

  release(bytes: number): void {
    this.#leftBytes += bytes;
    this.#memory.release(bytes);
  }
}

export interface MessageReaderOptions {
  readonly maxMessageBytes: number;
  readonly budget: BufferBudget;
  readonly pool: BufferPool;
  /** Takes a message, compressed or not. The bytes are valid until the end of the turn that completed them. */
  onMessage(bytes: Uint8Array, isCompressed: boolean): void;
  /** Takes the buffer of an emitted message, to return it to the pool at the end of the turn. */
  retire(buffer: Uint8Array<ArrayBuffer>): void;
}

/**
 * Cuts the body of a request into messages, wherever DATA frames cut it. A message that lies whole in the given octets
 * is emitted in place; others are copied.
 */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixLength = 0;
  #messageBytes = 0;
  #buffer: Uint8Array<ArrayBuffer> = EMPTY;
  #bufferLength = 0;
  /** The size requested for the buffer, which is what counts. The pool may have given a larger one. */
  #reservedBytes = 0;
  #isReleased = false;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  /** Whether a message is incomplete. */
  get isInsideMessage(): boolean {
    return this.#prefixLength > 0;
  }

  /** @throws {CallError} for an invalid prefix. Nothing may be pushed after that. */
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

  /** Octets still to come of the incomplete message. */
  get missingBytes(): number {
    return this.#prefixLength < PREFIX_BYTES ? 0 : this.#messageBytes - this.#bufferLength;
  }

  /** Releases the buffer of an incomplete message and ignores all further octets: the call has ended. */
  release(): void {
    this.#isReleased = true;
    const { buffer, reservedBytes } = this.#takeBuffer();
    this.#options.pool.release(buffer);
    this.#releaseBudget(reservedBytes);
  }

  #takeBuffer(): { readonly buffer: Uint8Array<ArrayBuffer>; readonly reservedBytes: number } {
    const taken = { buffer: this.#buffer, reservedBytes: this.#reservedBytes };
    this.#reservedBytes = 0;
    this.#buffer = EMPTY;
    this.#bufferLength = 0;
    return taken;
  }

  #releaseBudget(reservedBytes: number): void {
    if (reservedBytes > 0) this.#options.budget.release(reservedBytes);
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
    const { buffer, reservedBytes } = this.#takeBuffer();
    try {
      this.#emit(buffer.subarray(0, needed));
    } finally {
      this.#options.retire(buffer);
      // After the emission: the call has counted the message by then, so its room cannot go to another in between.
      this.#releaseBudget(reservedBytes);
    }
  }

  #grow(needed: number): void {
    const growth = this.#options.budget.isScarce ? SCARCE_GROWTH : GROWTH;
    const wanted = Math.max(needed, FIRST_BUFFER_BYTES, growth * this.#reservedBytes);
    const size = Math.min(Math.ceil(wanted), this.#messageBytes);
    if (!this.#options.budget.acquire(size - this.#reservedBytes)) {
      throw new CallError(
        Status.RESOURCE_EXHAUSTED,
        "too many octets of incomplete messages",
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
