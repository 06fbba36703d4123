/**
 * google.rpc.Status with its details, as it travels in `grpc-status-details-bin`.
 * Source: google/rpc/{status,error_details}.proto of googleapis.
 */
import type { Violation } from "../core/errors.ts";
import { encodeMilliseconds } from "./common_messages.ts";
import { ProtobufWriter } from "./protobuf_writer.ts";

/** The domain of every reason that this service gives. */
export const ERROR_DOMAIN = "cacheserver.v1";

/** What a client can learn about an error beyond its code and text. */
export interface StatusDetails {
  /** A name of ErrorReason in errors.proto. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly Violation[];
  /** When to try again; undefined when that is of no use. */
  readonly retryAfterMs: number | undefined;
}

/** Encodes the whole google.rpc.Status. */
export function encodeStatus(code: number, message: string, details: StatusDetails): Uint8Array {
  const status = new ProtobufWriter().integer(1, code).text(2, message)
    .bytes(3, packed("ErrorInfo", encodeErrorInfo(details)));
  if (details.violations.length > 0) {
    status.bytes(3, packed("BadRequest", encodeBadRequest(details.violations)));
  }
  if (details.retryAfterMs !== undefined) {
    const retryInfo = new ProtobufWriter().bytes(1, encodeMilliseconds(details.retryAfterMs)).finish();
    status.bytes(3, packed("RetryInfo", retryInfo));
  }
  return status.finish();
}

function encodeErrorInfo(details: StatusDetails): Uint8Array {
  const info = new ProtobufWriter().text(1, details.reason).text(2, ERROR_DOMAIN);
  for (const [key, value] of Object.entries(details.metadata)) {
    // A map field is a repeated message of key and value.
    info.bytes(3, new ProtobufWriter().text(1, key).text(2, value).finish());
  }
  return info.finish();
}

function encodeBadRequest(violations: readonly Violation[]): Uint8Array {
  const request = new ProtobufWriter();
  for (const { field, description } of violations) {
    request.bytes(1, new ProtobufWriter().text(1, field).text(2, description).finish());
  }
  return request.finish();
}

function packed(type: string, message: Uint8Array): Uint8Array {
  return new ProtobufWriter().text(1, `type.googleapis.com/google.rpc.${type}`).bytes(2, message).finish();
}
