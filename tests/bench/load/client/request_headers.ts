/**
 * The header blocks of a gRPC request, as sent by clients that use HPACK's dynamic table. Each call has a new deadline,
 * which enters the table as all other fields do. Source: RFC 7541 section 6 and appendix A, PROTOCOL-HTTP2.md (Timeout).
 */

/** The default size of the table that a server keeps for a client, in bytes. RFC 9113 section 6.5.2. */
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
/** The table's overhead of an entry, in bytes. RFC 7541 section 4.1. */
const ENTRY_BYTES = 32;

const TIMEOUT = "grpc-timeout";
/** Microseconds of six digits, about a second: each call's deadline is another. */
const MAX_TIMEOUT_US = 999_999;
const TIMEOUTS = 100_000;
const TIMEOUT_DIGITS = 6;
const TIMEOUT_ENTRY_BYTES = ENTRY_BYTES + TIMEOUT.length + TIMEOUT_DIGITS + 1;

const encoder = new TextEncoder();

/** Makes the header blocks of one connection's requests, in the order in which they are sent. */
export class RequestHeaders {
  readonly #full: Uint8Array;
  readonly #fullEntryBytes: number;
  readonly #block = new Uint8Array(1024);
  #length = 0;
  /** Entries added to the table since the last full block. */
  #newer = 0;
  #entryBytes = Infinity;
  #requests = 0;

  /** `path` and `authority` have at most 126 characters of ASCII. */
  constructor(path: string, authority: string) {
    this.#full = Uint8Array.from([
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
    const texts = [
      ":path",
      path,
      ":authority",
      authority,
      "content-type",
      "application/grpc",
      "te",
      "trailers",
    ];
    this.#fullEntryBytes = texts.join("").length + 4 * ENTRY_BYTES;
  }

  /** The next request's block; valid until the next call. */
  next(): Uint8Array {
    const block = this.#block;
    this.#entryBytes += TIMEOUT_ENTRY_BYTES;
    if (this.#entryBytes <= DEFAULT_HEADER_TABLE_BYTES) {
      block[0] = METHOD_POST;
      block[1] = SCHEME_HTTP;
      this.#length = 2;
      // Path, authority, content-type and te by index, and the name of the newest entry, a timeout.
      for (let place = 3; place >= 0; place--) this.#integer(0x80, 7, NEWEST + this.#newer + place);
      this.#integer(0x40, 6, NEWEST);
    } else {
      // One more entry would have evicted those that such a block refers to.
      block.set(this.#full);
      this.#length = this.#full.length;
      this.#newer = 0;
      this.#entryBytes = this.#fullEntryBytes + TIMEOUT_ENTRY_BYTES;
      block[this.#length++] = NEW_NAME;
      for (const octet of text(TIMEOUT)) block[this.#length++] = octet;
    }
    this.#newer++;
    this.#timeout(MAX_TIMEOUT_US - this.#requests++ % TIMEOUTS);
    return block.subarray(0, this.#length);
  }

  /** Writes an integer after a pattern, in `bits` bits and further octets. RFC 7541 section 5.1. */
  #integer(pattern: number, bits: number, value: number): void {
    const max = 2 ** bits - 1;
    const block = this.#block;
    if (value < max) {
      block[this.#length++] = pattern | value;
      return;
    }
    block[this.#length++] = pattern | max;
    let left = value - max;
    for (; left >= 0x80; left >>>= 7) block[this.#length++] = 0x80 | left & 0x7f;
    block[this.#length++] = left;
  }

  #timeout(us: number): void {
    const block = this.#block;
    const start = this.#length;
    block[start] = TIMEOUT_DIGITS + 1;
    let left = us;
    for (let at = start + TIMEOUT_DIGITS; at > start; at--) {
      block[at] = 0x30 + left % 10;
      left = Math.trunc(left / 10);
    }
    block[start + TIMEOUT_DIGITS + 1] = 0x75;
    this.#length = start + TIMEOUT_DIGITS + 2;
  }
}

function text(value: string): number[] {
  const bytes = encoder.encode(value);
  if (bytes.length >= 0x7f) throw new RangeError(`Cannot send ${value}: expected at most 126 bytes`);
  return [bytes.length, ...bytes];
}
