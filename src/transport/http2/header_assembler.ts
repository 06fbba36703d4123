import { CompressionError } from "../hpack/compression_error.ts";
import { type HeaderList, HpackDecoder } from "../hpack/decoder.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";
import { DEFAULT_HEADER_TABLE_BYTES } from "./protocol.ts";

/**
 * Joins a header block out of HEADERS and CONTINUATION frames and decodes it. Source: RFC 9113 section 4.3.
 *
 * Clients repeat themselves: when a block equals the last one and the table has not changed since, it means the
 * same fields, and the same {@link HeaderList} is returned, so that its users can recognise it too.
 */
export class HeaderAssembler {
  readonly #decoder = new HpackDecoder(DEFAULT_HEADER_TABLE_BYTES);
  readonly #limits: Http2Limits;
  /** The stream whose block has begun and not ended; 0 when none has. */
  #streamId = 0;
  #endsStream = false;
  #fragment: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #continuations = 0;
  #lastBlock: Uint8Array = new Uint8Array(0);
  #lastList: HeaderList | undefined;
  #lastGeneration = -1;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  /** The stream whose CONTINUATION must come next; 0 when any frame may. */
  get pendingStreamId(): number {
    return this.#streamId;
  }

  /** Whether the pending block's HEADERS frame ends its stream. */
  get endsStream(): boolean {
    return this.#endsStream;
  }

  /** Starts a block that CONTINUATION frames complete. */
  begin(streamId: number, endsStream: boolean, bytes: Uint8Array, start: number, end: number): void {
    this.#streamId = streamId;
    this.#endsStream = endsStream;
    this.#continuations = 0;
    this.#fragment = new Uint8Array(0);
    this.#append(bytes, start, end);
  }

  /** Adds a CONTINUATION frame's payload. */
  continue(bytes: Uint8Array, start: number, end: number): void {
    if (++this.#continuations > this.#limits.maxContinuationFrames) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "too many CONTINUATION frames");
    }
    this.#append(bytes, start, end);
  }

  /** Decodes the block that {@link begin} started. */
  finish(): HeaderList {
    const block = this.#fragment;
    this.#streamId = 0;
    this.#fragment = new Uint8Array(0);
    return this.decode(block, 0, block.length);
  }

  /** Decodes a block that one frame held. @throws {ConnectionError} */
  decode(bytes: Uint8Array, start: number, end: number): HeaderList {
    const generation = this.#decoder.generation;
    if (
      this.#lastList !== undefined && generation === this.#lastGeneration && this.#isLast(bytes, start, end)
    ) {
      return this.#lastList;
    }
    this.#checkSize(end - start);
    const list = this.#decode(bytes, start, end);
    this.#lastList = undefined;
    if (generation === this.#decoder.generation) {
      this.#lastList = list;
      this.#lastGeneration = generation;
      this.#lastBlock = bytes.slice(start, end);
    }
    return list;
  }

  #decode(bytes: Uint8Array, start: number, end: number): HeaderList {
    try {
      return this.#decoder.decode(bytes, start, end, this.#limits.maxHeaderListBytes);
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      throw new ConnectionError(ErrorCode.COMPRESSION_ERROR, error.message);
    }
  }

  #isLast(bytes: Uint8Array, start: number, end: number): boolean {
    const last = this.#lastBlock;
    if (end - start !== last.length) return false;
    for (let i = 0; i < last.length; i++) {
      if (bytes[start + i] !== last[i]) return false;
    }
    return true;
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const joined = new Uint8Array(this.#fragment.length + end - start);
    this.#checkSize(joined.length);
    joined.set(this.#fragment);
    joined.set(bytes.subarray(start, end), this.#fragment.length);
    this.#fragment = joined;
  }

  #checkSize(blockBytes: number): void {
    if (blockBytes <= this.#limits.maxHeaderBlockBytes) return;
    throw new ConnectionError(
      ErrorCode.ENHANCE_YOUR_CALM,
      `header block exceeds ${this.#limits.maxHeaderBlockBytes} octets`,
    );
  }
}
