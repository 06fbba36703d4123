/** Metadata as header fields, and back. Source: PROTOCOL-HTTP2.md, Custom-Metadata. */
import type { HeaderField } from "../hpack/header_field.ts";
import { LEGAL_KEY, LEGAL_TEXT, Metadata } from "../metadata.ts";

/** Fields that belong to the protocol, not to the call's metadata. */
const PROTOCOL_FIELDS: ReadonlySet<string> = new Set([
  "accept-encoding",
  "content-length",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-timeout",
  "host",
  "te",
]);

/** Fields that the metadata of a response may not set: the server sets them, or RFC 9113 section 8.2.2 forbids them. */
const RESERVED_FIELDS: ReadonlySet<string> = new Set([
  ...PROTOCOL_FIELDS,
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "grpc-message",
  "grpc-status",
]);

/** The name of the first `-bin` field that is not base64; undefined when all are. */
export function invalidBinaryField(fields: readonly HeaderField[]): string | undefined {
  for (const { name, value } of fields) {
    if (!name.endsWith("-bin")) continue;
    if (value.split(",").some((part) => decodeBase64(part.trim()) === undefined)) return name;
  }
  return undefined;
}

/** The metadata in a request's fields. Fields that cannot be metadata are left out. */
export function metadataFromFields(fields: readonly HeaderField[]): Metadata {
  const metadata = new Metadata();
  for (const { name, value } of fields) {
    if (PROTOCOL_FIELDS.has(name) || !LEGAL_KEY.test(name)) continue;
    if (!name.endsWith("-bin")) {
      if (LEGAL_TEXT.test(value)) metadata.add(name, value);
      continue;
    }
    // A proxy may have joined several values (RFC 9110 section 5.3).
    for (const part of value.split(",")) {
      const bytes = decodeBase64(part.trim());
      if (bytes !== undefined) metadata.add(name, bytes);
    }
  }
  return metadata;
}

/** The fields of a response's metadata. */
export function fieldsFromMetadata(metadata: Metadata): HeaderField[] {
  const fields: HeaderField[] = [];
  for (const [name, values] of metadata.entries()) {
    if (RESERVED_FIELDS.has(name)) continue;
    for (const value of values) {
      fields.push({ name, value: typeof value === "string" ? value : encodeBase64(value) });
    }
  }
  return fields;
}

/** Decodes a `-bin` value, padded or not; undefined when it is not base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Encodes a `-bin` value without padding, which the protocol prefers and receivers must accept. */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}
