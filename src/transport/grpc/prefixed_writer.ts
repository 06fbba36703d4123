import type { BodyWriter } from "../http2/stream.ts";
import type { MessageWriter } from "../service.ts";
import { PREFIX_BYTES } from "./message_reader.ts";

/** Writes messages of one type as they go on the wire: each behind its prefix, uncompressed. */
export class PrefixedWriter implements BodyWriter<unknown> {
  readonly #writer: MessageWriter<unknown>;

  constructor(writer: MessageWriter<unknown>) {
    this.#writer = writer;
  }

  /** How many octets a message takes with its prefix. */
  byteLength(message: unknown): number {
    return PREFIX_BYTES + this.#writer.byteLength(message);
  }

  write(message: unknown, bytes: Uint8Array, at: number, byteLength: number): void {
    const length = byteLength - PREFIX_BYTES;
    bytes[at] = 0;
    bytes[at + 1] = length >>> 24;
    bytes[at + 2] = length >>> 16;
    bytes[at + 3] = length >>> 8;
    bytes[at + 4] = length;
    this.#writer.write(message, bytes, at + PREFIX_BYTES);
  }
}
