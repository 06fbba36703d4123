import { DynamicTable } from "./dynamic_table.ts";
import { CompressionError, fieldSizeBytes, type HeaderField } from "./header_field.ts";
import { huffmanDecode, maxDecodedLength } from "./huffman.ts";
import { IntegerReader } from "./integer.ts";
import { STATIC_TABLE } from "./static_table.ts";

/** Holds a decoded Huffman string until its text is made. Longer strings get a buffer of their own. */
const SCRATCH = new Uint8Array(1024);

const character = String.fromCharCode;

/** The fields of one header block. */
export interface HeaderList {
  readonly fields: readonly HeaderField[];
  /** The size by RFC 9113 section 6.5.2. Above the limit, `fields` lacks the last ones. */
  readonly sizeBytes: number;
}

/** Decodes the header blocks of one connection, in their order. Source: RFC 7541 sections 3 and 6. */
export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #maxTableBytes: number;
  readonly #reader = new IntegerReader();

  /** `maxTableBytes` is the SETTINGS_HEADER_TABLE_SIZE that was announced. */
  constructor(maxTableBytes: number) {
    this.#maxTableBytes = maxTableBytes;
    this.#table = new DynamicTable(maxTableBytes);
  }

  /** Unchanged while equal blocks mean equal fields. */
  get generation(): number {
    return this.#table.generation;
  }

  /**
   * Decodes a whole block. Fields beyond `maxListBytes` update the table but are not returned.
   * @throws {CompressionError} when the block is malformed; no further block can be decoded then.
   */
  decode(bytes: Uint8Array, start: number, end: number, maxListBytes: number): HeaderList {
    const reader = this.#reader;
    reader.reset(bytes, start, end);
    const fields: HeaderField[] = [];
    let sizeBytes = 0;
    let sizeUpdatesEnded = false;
    while (reader.offset < end) {
      const first = bytes[reader.offset]!;
      if ((first & 0xe0) === 0x20) {
        if (sizeUpdatesEnded) throw new CompressionError("Table size update after a field");
        this.#resizeTable();
        continue;
      }
      sizeUpdatesEnded = true;
      const field = first >= 0x80 ? this.#indexed(reader.read(7)) : this.#literal(first);
      sizeBytes += fieldSizeBytes(field);
      if (sizeBytes <= maxListBytes) fields.push(field);
    }
    return { fields, sizeBytes };
  }

  #literal(first: number): HeaderField {
    const isIndexing = first >= 0x40;
    const nameIndex = this.#reader.read(isIndexing ? 6 : 4);
    const name = nameIndex === 0 ? this.#string() : this.#indexed(nameIndex).name;
    const field = { name, value: this.#string() };
    if (isIndexing) this.#table.add(field);
    return field;
  }

  #indexed(index: number): HeaderField {
    const field = index <= STATIC_TABLE.length
      ? STATIC_TABLE[index - 1]
      : this.#table.at(index - STATIC_TABLE.length - 1);
    if (field === undefined) throw new CompressionError(`No field at index ${index}`);
    return field;
  }

  #resizeTable(): void {
    const size = this.#reader.read(5);
    if (size > this.#maxTableBytes) {
      throw new CompressionError(`Table size is ${size}, expected at most ${this.#maxTableBytes}`);
    }
    this.#table.resize(size);
  }

  #string(): string {
    const reader = this.#reader;
    const isHuffman = reader.offset < reader.end && reader.bytes[reader.offset]! >= 0x80;
    const length = reader.read(7);
    const start = reader.offset;
    reader.offset += length;
    if (reader.offset > reader.end) throw new CompressionError("Header block ends inside a string");
    if (!isHuffman) return latin1(reader.bytes, start, reader.offset);
    const maxLength = maxDecodedLength(length);
    const decoded = maxLength <= SCRATCH.length ? SCRATCH : new Uint8Array(maxLength);
    return latin1(decoded, 0, huffmanDecode(reader.bytes, start, reader.offset, decoded));
  }
}

/** Makes text four characters at a time: a list of all characters costs several times the rest of a short string. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let at = start;
  for (; at + 4 <= end; at += 4) {
    text += character(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
  }
  for (; at < end; at++) text += character(bytes[at]!);
  return text;
}
