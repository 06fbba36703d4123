/** The header fields of responses. Source: PROTOCOL-HTTP2.md, Responses. */
import { ConstantField } from "../hpack/constant_field.ts";
import type { HeaderField } from "../hpack/header_field.ts";
import type { StatusObject } from "../service.ts";
import { Status } from "../status.ts";
import { fieldsFromMetadata } from "./metadata_fields.ts";
import { percentEncode } from "./percent_encoding.ts";

const HTTP_OK = new ConstantField(":status", "200");
const CONTENT_TYPE = new ConstantField("content-type", "application/grpc");
const ACCEPT_ENCODING = new ConstantField("grpc-accept-encoding", "identity,gzip");

/** One field a code: they repeat, so the encoder indexes them. */
const STATUS_FIELDS: ReadonlyMap<number, HeaderField> = new Map(
  Object.values(Status).map((code) => [code, new ConstantField("grpc-status", String(code))]),
);

/** The status of a call that went well. */
export const OK_STATUS: StatusObject = { code: Status.OK, details: "" };

/** The headers of a response without metadata. */
export const RESPONSE_HEADERS: readonly HeaderField[] = [HTTP_OK, CONTENT_TYPE, ACCEPT_ENCODING];

/** The trailers of a call that went well and has no metadata to add. */
export const OK_TRAILERS: readonly HeaderField[] = [STATUS_FIELDS.get(Status.OK)!];

/** The trailers of a status. */
export function statusTrailers(status: StatusObject): readonly HeaderField[] {
  if (status.code === Status.OK && status.details === "" && status.metadata === undefined) return OK_TRAILERS;
  const code = STATUS_FIELDS.get(status.code) ?? { name: "grpc-status", value: String(status.code) };
  const fields = [code];
  if (status.details !== "") fields.push({ name: "grpc-message", value: percentEncode(status.details) });
  return status.metadata === undefined ? fields : [...fields, ...fieldsFromMetadata(status.metadata)];
}
