import type { OutputBuffer } from "../output_buffer.ts";
import { fieldSizeBytes, type HeaderField } from "./header_field.ts";
import { huffmanEncode, huffmanLength } from "./huffman.ts";
import { writeInteger } from "./integer.ts";
import { STATIC_TABLE, staticFieldIndex, staticNameIndex } from "./static_table.ts";

/** The size of the table before any SETTINGS, and the most that this encoder uses. Source: RFC 9113 section 6.5.2. */
const DEFAULT_TABLE_BYTES = 4096;

/** Representations. Source: RFC 7541 section 6. */
const INDEXED = 0x80;
const LITERAL_INDEXING = 0x40;
const TABLE_SIZE_UPDATE = 0x20;
const LITERAL_NOT_INDEXED = 0x00;

const utf8 = new TextEncoder();

/** A field that is sent again and again. The encoder indexes it and recognizes it by identity. */
export class ConstantField implements HeaderField {
  /** The index of the whole field in the static table; 0 when it is not there. */
  readonly staticIndex: number;
  /** Its coded form for peers that have no room for it; filled in on first use. */
  literal: Uint8Array | undefined;

  constructor(readonly name: string, readonly value: string) {
    this.staticIndex = staticFieldIndex(this);
  }
}

/**
 * Encodes the header blocks of one connection, in their order. It indexes {@link ConstantField}s only; they are few,
 * so the table never evicts. A field that does not fit in a small table goes out as a literal.
 */
export class HpackEncoder {
  /** Constant fields in the peer's table, numbered in the order of insertion, from 0. */
  readonly #inserted = new Map<HeaderField, number>();
  #tableBytes = 0;
  #maxTableBytes = DEFAULT_TABLE_BYTES;
  #mustAnnounceSize = false;

  /**
   * Follows the peer's SETTINGS_HEADER_TABLE_SIZE. The next block starts by emptying the table. That also satisfies
   * RFC 7541 section 4.2 when the table shrank and grew again between two blocks.
   */
  setPeerTableSize(bytes: number): void {
    const size = Math.min(bytes, DEFAULT_TABLE_BYTES);
    if (size === this.#maxTableBytes && !this.#mustAnnounceSize) return;
    this.#maxTableBytes = size;
    this.#mustAnnounceSize = true;
  }

  /** Appends the block of these fields to `out`. */
  encode(fields: readonly HeaderField[], out: OutputBuffer): void {
    if (this.#mustAnnounceSize) this.#announceSize(out);
    for (const field of fields) {
      const insertion = this.#inserted.get(field);
      if (insertion !== undefined) {
        writeInteger(out, STATIC_TABLE.length + this.#inserted.size - insertion, 7, INDEXED);
      } else {
        this.#encodeNew(field, out);
      }
    }
  }

  #encodeNew(field: HeaderField, out: OutputBuffer): void {
    const isConstant = field instanceof ConstantField;
    const index = isConstant ? field.staticIndex : staticFieldIndex(field);
    if (index > 0) return writeInteger(out, index, 7, INDEXED);
    if (this.#canInsert(field)) {
      this.#inserted.set(field, this.#inserted.size);
      this.#tableBytes += fieldSizeBytes(field);
      writeLiteral(out, field, LITERAL_INDEXING, writeShortest);
    } else if (isConstant) {
      // For a peer without a table: the same octets every time. Coding them costs more than the rest of the block.
      field.literal ??= literalOf(field, out);
      out.append(field.literal);
    } else {
      // Sent once. Huffman coding would take longer than the rest of an error and save a fifth of its octets.
      writeLiteral(out, field, LITERAL_NOT_INDEXED, writePlain);
    }
  }

  #canInsert(field: HeaderField): boolean {
    return field instanceof ConstantField && this.#tableBytes + fieldSizeBytes(field) <= this.#maxTableBytes;
  }

  #announceSize(out: OutputBuffer): void {
    this.#mustAnnounceSize = false;
    this.#inserted.clear();
    this.#tableBytes = 0;
    writeInteger(out, 0, 5, TABLE_SIZE_UPDATE);
    if (this.#maxTableBytes > 0) writeInteger(out, this.#maxTableBytes, 5, TABLE_SIZE_UPDATE);
  }
}

function writeLiteral(
  out: OutputBuffer,
  field: HeaderField,
  form: typeof LITERAL_INDEXING | typeof LITERAL_NOT_INDEXED,
  write: (out: OutputBuffer, text: string) => void,
): void {
  const nameIndex = staticNameIndex(field.name);
  writeInteger(out, nameIndex, form === LITERAL_INDEXING ? 6 : 4, form);
  if (nameIndex === 0) write(out, field.name);
  write(out, field.value);
}

/** The field as a literal without indexing. Uses `out` for scratch and leaves it unchanged. */
function literalOf(field: HeaderField, out: OutputBuffer): Uint8Array {
  const start = out.length;
  writeLiteral(out, field, LITERAL_NOT_INDEXED, writeShortest);
  const literal = out.bytes.slice(start, out.length);
  out.length = start;
  return literal;
}

/** Writes a string in the shorter of its two forms. Source: RFC 7541 section 5.2. */
function writeShortest(out: OutputBuffer, text: string): void {
  const codedLength = huffmanLength(text);
  if (codedLength >= text.length) return writePlain(out, text);
  writeInteger(out, codedLength, 7, 0x80);
  out.reserve(codedLength);
  huffmanEncode(text, out.bytes, out.length);
  out.length += codedLength;
}

/** Writes a string uncoded, one octet a character. */
function writePlain(out: OutputBuffer, text: string): void {
  writeInteger(out, text.length, 7, 0);
  out.reserve(text.length);
  const { read } = utf8.encodeInto(text, out.bytes.subarray(out.length, out.length + text.length));
  // A character that is not ASCII takes more than one octet of UTF-8 and does not fit.
  if (read < text.length) {
    for (let i = 0; i < text.length; i++) out.bytes[out.length + i] = text.charCodeAt(i);
  }
  out.length += text.length;
}
