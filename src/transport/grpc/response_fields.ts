/** The header fields of responses. Source: PROTOCOL-HTTP2.md, Responses. */
import { ConstantField } from "../hpack/encoder.ts";
import type { HeaderField } from "../hpack/header_field.ts";
import type { StatusObject } from "../service.ts";
import { Status } from "../status.ts";
import { fieldsFromMetadata } from "./metadata_fields.ts";

const utf8 = new TextEncoder();

/** Characters that `grpc-message` cannot hold: all but printable ASCII, and the percent sign. */
const NEEDS_ENCODING = /[^\x20-\x24\x26-\x7e]/;

const HTTP_OK = new ConstantField(":status", "200");
const CONTENT_TYPE = new ConstantField("content-type", "application/grpc");
const ACCEPT_ENCODING = new ConstantField("grpc-accept-encoding", "identity,gzip");

/** One field a code, so that the encoder indexes them. */
const STATUS_FIELDS: ReadonlyMap<number, HeaderField> = new Map(
  Object.values(Status).map((code) => [code, new ConstantField("grpc-status", String(code))]),
);

/** The status of a successful call. */
export const OK_STATUS: StatusObject = { code: Status.OK, details: "" };

/** The headers of a response without metadata. */
export const RESPONSE_HEADERS: readonly HeaderField[] = [HTTP_OK, CONTENT_TYPE, ACCEPT_ENCODING];

/** The trailers of a successful call without metadata. */
const OK_TRAILERS: readonly HeaderField[] = [STATUS_FIELDS.get(Status.OK)!];

/** The trailers of a status. */
export function statusTrailers(status: StatusObject): readonly HeaderField[] {
  if (status.code === Status.OK && status.details === "" && status.metadata === undefined) return OK_TRAILERS;
  const code = STATUS_FIELDS.get(status.code) ?? { name: "grpc-status", value: String(status.code) };
  const fields = [code];
  if (status.details !== "") fields.push({ name: "grpc-message", value: percentEncode(status.details) });
  return status.metadata === undefined ? fields : [...fields, ...fieldsFromMetadata(status.metadata)];
}

/** The text of a status as `grpc-message` carries it. Source: PROTOCOL-HTTP2.md, Status-Message. */
export function percentEncode(text: string): string {
  if (!NEEDS_ENCODING.test(text)) return text;
  let encoded = "";
  for (const octet of utf8.encode(text)) {
    encoded += octet >= 0x20 && octet <= 0x7e && octet !== 0x25
      ? String.fromCharCode(octet)
      : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
