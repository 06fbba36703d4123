/** Octets that RFC 7541 section 4.1 adds to every field, for the memory a table entry takes. */
const ENTRY_OVERHEAD_BYTES = 32;

/** A header field. Text holds one octet per character (latin1), as it stands on the wire. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** What a field counts in a dynamic table and in a header list. Source: RFC 7541 section 4.1. */
export function fieldSizeBytes(field: HeaderField): number {
  return field.name.length + field.value.length + ENTRY_OVERHEAD_BYTES;
}
