import type { BodyWriter } from "../http2/stream.ts";
import type { MessageWriter } from "../service.ts";
import { PREFIX_BYTES } from "./message_reader.ts";

/** Writes messages of one type for the wire: a prefix, then the message, uncompressed. */
export class PrefixedWriter implements BodyWriter<unknown> {
  readonly #writer: MessageWriter<unknown>;

  constructor(writer: MessageWriter<unknown>) {
    this.#writer = writer;
  }

  /** Octets of a message with its prefix. */
  byteLength(message: unknown): number {
    return PREFIX_BYTES + this.#writer.byteLength(message);
  }

  write(message: unknown, bytes: Uint8Array, at: number, byteLength: number): void {
    writePrefix(bytes, at, byteLength - PREFIX_BYTES);
    this.#writer.write(message, bytes, at + PREFIX_BYTES);
  }

  /** A message with its prefix, in pieces that never change. */
  pieces(message: unknown): Uint8Array[] {
    return prefixed(this.#writer.pieces(message));
  }
}

/** An uncompressed message with its prefix. */
export function prefixed(message: readonly Uint8Array[]): Uint8Array[] {
  const prefix = new Uint8Array(PREFIX_BYTES);
  writePrefix(prefix, 0, message.reduce((sum, piece) => sum + piece.length, 0));
  return [prefix, ...message];
}

function writePrefix(bytes: Uint8Array, at: number, messageBytes: number): void {
  bytes[at] = 0;
  bytes[at + 1] = messageBytes >>> 24;
  bytes[at + 2] = messageBytes >>> 16;
  bytes[at + 3] = messageBytes >>> 8;
  bytes[at + 4] = messageBytes;
}
