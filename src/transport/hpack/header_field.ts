/** Octets that RFC 7541 section 4.1 adds to every field for the memory of a table entry. */
const ENTRY_OVERHEAD_BYTES = 32;

/** A header field. Text holds one octet of the wire per character (latin1). */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** The size of a field in a dynamic table and in a header list. Source: RFC 7541 section 4.1. */
export function fieldSizeBytes(field: HeaderField): number {
  return field.name.length + field.value.length + ENTRY_OVERHEAD_BYTES;
}

/** A header block that cannot be decoded. It ends the connection. Source: RFC 9113 section 4.3. */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
}
