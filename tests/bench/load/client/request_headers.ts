/**
 * The header blocks of a gRPC request, as clients that use HPACK's dynamic table send them: in full by the first
 * request of a connection, six bytes by each later one. Source: RFC 7541 section 6 and appendix A.
 */

/** The table that a server keeps for a client, in bytes, unless it says less. RFC 9113 section 6.5.2. */
export const DEFAULT_HEADER_TABLE_BYTES = 4096;

const METHOD_POST = 0x80 | 3;
const SCHEME_HTTP = 0x80 | 6;
/** Literals that enter the table; the low bits are the name's index in the static table, 0 for a new name. */
const AUTHORITY = 0x40 | 1;
const PATH = 0x40 | 4;
const CONTENT_TYPE = 0x40 | 31;
const NEW_NAME = 0x40;

/** The first index of the dynamic table, which is its newest entry. */
const NEWEST = 62;

const encoder = new TextEncoder();

/** The block of a connection's first request. `path` and `authority` have at most 126 characters of ASCII. */
export function firstRequestHeaders(path: string, authority: string): Uint8Array {
  return Uint8Array.from([
    METHOD_POST,
    SCHEME_HTTP,
    PATH,
    ...text(path),
    AUTHORITY,
    ...text(authority),
    CONTENT_TYPE,
    ...text("application/grpc"),
    NEW_NAME,
    ...text("te"),
    ...text("trailers"),
  ]);
}

/** The block of every request behind the first one: the same fields, the last four by their place in the table. */
export const LATER_REQUEST_HEADERS: Uint8Array = Uint8Array.from([
  METHOD_POST,
  SCHEME_HTTP,
  0x80 | NEWEST + 3,
  0x80 | NEWEST + 2,
  0x80 | NEWEST + 1,
  0x80 | NEWEST,
]);

function text(value: string): number[] {
  const bytes = encoder.encode(value);
  if (bytes.length >= 0x7f) throw new RangeError(`Cannot send ${value}: expected at most 126 bytes`);
  return [bytes.length, ...bytes];
}
