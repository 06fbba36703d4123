import type { HeaderList } from "../hpack/decoder.ts";
import type { HeaderField } from "../hpack/header_field.ts";

/** A well-formed header section of a request. */
export interface RequestHead {
  readonly method: string;
  readonly scheme: string;
  /** Empty only for CONNECT, which has no path. */
  readonly path: string;
  /** Empty when the client sent none. */
  readonly authority: string;
  /** All fields but the pseudo-header fields, in their order. */
  readonly fields: readonly HeaderField[];
  /** The content-length; -1 when not given. */
  readonly contentLength: number;
  /** Whether the list exceeded the limit, so that fields are missing. */
  readonly isTruncated: boolean;
  /** The earlier head that this one equals but for one field, and that field. */
  readonly variation?: { readonly of: RequestHead; readonly field: HeaderField };
}

/** Fields that belong to one HTTP/1.1 connection. Source: RFC 9113 section 8.2.2. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Fields whose value has rules or effects of its own. */
const READ_FIELDS: ReadonlySet<string> = new Set(["content-length", "te"]);

/** Field names: token characters without capitals. Source: RFC 9113 section 8.2.1, RFC 9110 section 5.6.2. */
const LEGAL_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** No NUL, CR or LF, and no space or tab at either end. Source: RFC 9113 section 8.2.1. */
const ILLEGAL_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
const DIGITS = /^[0-9]{1,15}$/;

/** Why a header section is malformed: debug data for the client. */
export type Malformed = string;

/**
 * Reads the header sections of one connection's requests. Clients repeat them with one different field, the deadline.
 * Fields from the HPACK table are the same objects as before, so a repeated field is not checked again.
 */
export class RequestHeadReader {
  readonly #maxListBytes: number;
  #list: HeaderList | undefined;
  #head: RequestHead | undefined;

  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /** Returns the head, or the reason why the section is malformed. Source: RFC 9113 sections 8.2 and 8.3.1. */
  read(list: HeaderList): RequestHead | Malformed {
    const variation = this.#variation(list);
    if (variation !== undefined) return variation;
    const head = readRequestHead(list, this.#maxListBytes);
    const mayVary = typeof head === "object" && !head.isTruncated;
    this.#list = mayVary ? list : undefined;
    this.#head = mayVary ? head : undefined;
    return head;
  }

  /** The head if at most one field differs from the last complete head; undefined otherwise, or when in doubt. */
  #variation({ fields, sizeBytes }: HeaderList): RequestHead | undefined {
    const head = this.#head;
    const earlier = this.#list?.fields;
    if (head === undefined || earlier?.length !== fields.length || sizeBytes > this.#maxListBytes) {
      return undefined;
    }
    let at = -1;
    for (let index = 0; index < fields.length; index++) {
      if (fields[index] === earlier[index]) continue;
      if (at >= 0) return undefined;
      at = index;
    }
    if (at < 0) return head;
    const field = fields[at]!;
    const place = at - (fields.length - head.fields.length);
    if (place < 0 || field.name !== earlier[at]!.name || READ_FIELDS.has(field.name)) return undefined;
    if (ILLEGAL_VALUE.test(field.value)) return undefined;
    const { method, scheme, path, authority, contentLength } = head;
    const varied = head.fields.slice();
    varied[place] = field;
    const variation = { of: head, field };
    return { method, scheme, path, authority, fields: varied, contentLength, isTruncated: false, variation };
  }
}

function readRequestHead(list: HeaderList, maxListBytes: number): RequestHead | Malformed {
  const pseudo = new Map<string, string>();
  const fields: HeaderField[] = [];
  let contentLength = -1;
  for (const field of list.fields) {
    if (field.name.charCodeAt(0) === 0x3a) {
      if (fields.length > 0) return "pseudo-header field after another field";
      if (pseudo.has(field.name)) return `second ${field.name}`;
      if (ILLEGAL_VALUE.test(field.value)) return `illegal value of ${field.name}`;
      pseudo.set(field.name, field.value);
      continue;
    }
    const problem = fieldProblem(field);
    if (problem !== undefined) return problem;
    if (field.name === "content-length") {
      if (!DIGITS.test(field.value)) return "illegal content-length";
      if (contentLength >= 0 && contentLength !== Number(field.value)) return "content-lengths differ";
      contentLength = Number(field.value);
    }
    fields.push(field);
  }
  const isTruncated = list.sizeBytes > maxListBytes;
  const method = pseudo.get(":method") ?? "";
  const scheme = pseudo.get(":scheme") ?? "";
  const path = pseudo.get(":path") ?? "";
  const authority = pseudo.get(":authority") ?? "";
  if (!isTruncated) {
    const problem = pseudoProblem(pseudo);
    if (problem !== undefined) return problem;
  }
  return { method, scheme, path, authority, fields, contentLength, isTruncated };
}

/** Why a trailer section is malformed; undefined when it is not. Source: RFC 9113 section 8.1. */
export function trailersProblem(list: HeaderList): Malformed | undefined {
  for (const field of list.fields) {
    if (field.name.charCodeAt(0) === 0x3a) return "pseudo-header field in trailers";
    const problem = fieldProblem(field);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function fieldProblem(field: HeaderField): Malformed | undefined {
  if (!LEGAL_NAME.test(field.name)) return "illegal field name";
  if (ILLEGAL_VALUE.test(field.value)) return `illegal value of ${field.name}`;
  if (CONNECTION_FIELDS.has(field.name)) return `connection-specific field ${field.name}`;
  if (field.name === "te" && field.value !== "trailers") return "te is not trailers";
  return undefined;
}

function pseudoProblem(pseudo: ReadonlyMap<string, string>): Malformed | undefined {
  for (const name of pseudo.keys()) {
    if (name !== ":method" && name !== ":scheme" && name !== ":path" && name !== ":authority") {
      return `unknown ${name}`;
    }
  }
  if (!pseudo.has(":method")) return "no :method";
  if (pseudo.get(":method") === "CONNECT") {
    return pseudo.has(":scheme") || pseudo.has(":path") || !pseudo.has(":authority")
      ? "CONNECT with other than :authority"
      : undefined;
  }
  if (!pseudo.has(":scheme")) return "no :scheme";
  return (pseudo.get(":path") ?? "") === "" ? "no :path" : undefined;
}
