/**
 * google.rpc.Status with its details, as it travels in `grpc-status-details-bin`.
 * Source: google/rpc/{status,error_details}.proto of googleapis.
 */
import type { Violation } from "../core/errors.ts";
import { writeMilliseconds } from "./protobuf/common_messages.ts";
import { ProtobufWriter } from "./protobuf/writer.ts";

/** The domain of every reason of this service. */
const ERROR_DOMAIN = "cacheserver.v1";

/** What an error holds beside its code and text. */
export interface StatusDetails {
  /** A name of ErrorReason in errors.proto. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly Violation[];
  /** When to try again; undefined if trying again is useless. */
  readonly retryAfterMs: number | undefined;
}

export function encodeStatus(code: number, message: string, details: StatusDetails): Uint8Array {
  return ProtobufWriter.encode((status) => {
    status.integer(1, code).text(2, message);
    status.bytes(3, errorInfo(details));
    if (details.violations.length > 0) {
      writeDetail(status, "BadRequest", (request) => writeBadRequest(request, details.violations));
    }
    const { retryAfterMs } = details;
    if (retryAfterMs !== undefined) {
      writeDetail(status, "RetryInfo", (info) => {
        info.message(1, (delay) => writeMilliseconds(delay, retryAfterMs));
      });
    }
  });
}

/** The encoded ErrorInfo by reason, for errors without metadata: most errors are alike. */
const plainErrorInfos = new Map<string, Uint8Array>();

function errorInfo({ reason, metadata }: StatusDetails): Uint8Array {
  const entries = Object.entries(metadata);
  const known = entries.length === 0 ? plainErrorInfos.get(reason) : undefined;
  if (known !== undefined) return known;
  const encoded = ProtobufWriter.encode((any) => {
    writeAny(any, "ErrorInfo", (info) => {
      info.text(1, reason).text(2, ERROR_DOMAIN);
      // A map field is a repeated message of key and value.
      for (const [key, value] of entries) info.message(3, (pair) => pair.text(1, key).text(2, value));
    });
  });
  if (entries.length === 0) plainErrorInfos.set(reason, encoded);
  return encoded;
}

function writeBadRequest(request: ProtobufWriter, violations: readonly Violation[]): void {
  for (const { field, description } of violations) {
    request.message(1, (violation) => violation.text(1, field).text(2, description));
  }
}

/** Adds a message to the details. */
function writeDetail(status: ProtobufWriter, type: string, write: (message: ProtobufWriter) => void): void {
  status.message(3, (any) => writeAny(any, type, write));
}

function writeAny(any: ProtobufWriter, type: string, write: (message: ProtobufWriter) => void): void {
  any.text(1, `type.googleapis.com/google.rpc.${type}`).message(2, write);
}
