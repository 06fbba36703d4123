import { HpackDecoder } from "../../../../src/transport/hpack/decoder.ts";
import { DEFAULT_HEADER_TABLE_BYTES } from "./request_headers.ts";

/** A block of header fields and the status in it. */
interface KnownBlock {
  readonly bytes: Uint8Array;
  /** The decoder's state in which the block has this meaning. */
  readonly generation: number;
  readonly status: number | undefined;
}

/** The response's headers, its trailers, and an occasional other block. */
const MAX_KNOWN_BLOCKS = 4;

/**
 * Reads `grpc-status` from the header blocks of one connection; it must see all of them, in order. Nearly all blocks
 * repeat an earlier one byte by byte, and those are not decoded again.
 */
export class StatusReader {
  readonly #decoder = new HpackDecoder(DEFAULT_HEADER_TABLE_BYTES);
  readonly #known: KnownBlock[] = [];

  /** The code in a block, or undefined if it has none. Throws if the block is malformed. */
  statusOf(block: Uint8Array): number | undefined {
    const { generation } = this.#decoder;
    for (const known of this.#known) {
      if (known.generation === generation && isEqual(known.bytes, block)) return known.status;
    }
    const { fields } = this.#decoder.decode(block, 0, block.length, Infinity);
    const text = fields.find(({ name }) => name === "grpc-status")?.value;
    const status = text === undefined ? undefined : Number(text);
    this.#known.unshift({ bytes: block.slice(), generation: this.#decoder.generation, status });
    this.#known.length = Math.min(this.#known.length, MAX_KNOWN_BLOCKS);
    return status;
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return false;
  }
  return true;
}
