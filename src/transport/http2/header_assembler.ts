import { type HeaderList, HpackDecoder } from "../hpack/decoder.ts";
import { CompressionError } from "../hpack/header_field.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";
import { isSelfDependent, paddingLength, PRIORITY_BYTES } from "./frame_rules.ts";
import type { Http2Limits } from "./limits.ts";
import { DEFAULT_HEADER_TABLE_BYTES, Flag } from "./protocol.ts";

const NOTHING = new Uint8Array(0);

/**
 * Joins the HEADERS and CONTINUATION frames of a header block and decodes it. Source: RFC 9113 sections 4.3, 6.2 and
 * 6.10.
 *
 * Clients repeat their header blocks. A block that equals the last one, with an unchanged table, is not decoded again:
 * the same {@link HeaderList} is returned, so that callers can recognize it by identity.
 */
export class HeaderAssembler {
  readonly #decoder = new HpackDecoder(DEFAULT_HEADER_TABLE_BYTES);
  readonly #limits: Http2Limits;
  #isPending = false;
  #streamId = 0;
  #endsStream = false;
  #dependsOnItself = false;
  #fragment: Uint8Array = NOTHING;
  #continuations = 0;
  #lastBlock: Uint8Array = NOTHING;
  /** Undefined when the last block was too large, or changed the table and with it the meaning of its octets. */
  #lastList: HeaderList | undefined;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  /** Whether a block is incomplete: the next frame must continue it. */
  get isPending(): boolean {
    return this.#isPending;
  }

  /** The stream of the last block. */
  get streamId(): number {
    return this.#streamId;
  }

  /** Whether the HEADERS frame of the last block ends its stream. */
  get endsStream(): boolean {
    return this.#endsStream;
  }

  /** Whether the HEADERS frame of the last block makes its stream depend on itself. */
  get dependsOnItself(): boolean {
    return this.#dependsOnItself;
  }

  /** Takes a HEADERS frame. Returns the fields when the block is complete. @throws {ConnectionError} */
  onHeaders(
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): HeaderList | undefined {
    let blockStart = start;
    let blockEnd = end;
    if (flags & Flag.PADDED) {
      blockEnd -= paddingLength(bytes, start, end);
      blockStart++;
    }
    this.#dependsOnItself = false;
    if (flags & Flag.PRIORITY) {
      if (blockEnd - blockStart < PRIORITY_BYTES) {
        throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "HEADERS is too short for its priority");
      }
      this.#dependsOnItself = isSelfDependent(id, bytes, blockStart);
      blockStart += PRIORITY_BYTES;
    }
    this.#streamId = id;
    this.#endsStream = (flags & Flag.END_STREAM) !== 0;
    if (flags & Flag.END_HEADERS) return this.#decodeOrRecall(bytes, blockStart, blockEnd);
    this.#isPending = true;
    this.#continuations = 0;
    this.#append(bytes, blockStart, blockEnd);
    return undefined;
  }

  /** Takes a CONTINUATION frame of the incomplete block; the rest is as in {@link onHeaders}. */
  onContinuation(flags: number, bytes: Uint8Array, start: number, end: number): HeaderList | undefined {
    if (++this.#continuations > this.#limits.maxContinuationFrames) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "too many CONTINUATION frames");
    }
    this.#append(bytes, start, end);
    if ((flags & Flag.END_HEADERS) === 0) return undefined;
    const block = this.#fragment;
    this.#isPending = false;
    this.#fragment = NOTHING;
    return this.#decodeOrRecall(block, 0, block.length);
  }

  #decodeOrRecall(bytes: Uint8Array, start: number, end: number): HeaderList {
    if (this.#lastList !== undefined && this.#isLast(bytes, start, end)) return this.#lastList;
    this.#checkSize(end - start);
    const generation = this.#decoder.generation;
    const list = this.#decode(bytes, start, end);
    this.#lastList = undefined;
    if (generation === this.#decoder.generation && list.sizeBytes <= this.#limits.maxHeaderListBytes) {
      this.#lastList = list;
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
