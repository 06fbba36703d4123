import { type ServiceError, status } from "@grpc/grpc-js";
import { decodeMessage } from "./messages.ts";

/** A field that made a request invalid. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

interface Packed {
  readonly "type_url": string;
  readonly value: Uint8Array;
}

interface ErrorInfo {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A call that ended with a status other than OK, with its details decoded. */
export class CallError extends Error {
  /** The status's name: `NOT_FOUND`. */
  readonly code: string;
  /** google.rpc.ErrorInfo; undefined when the status has none. */
  readonly info: ErrorInfo | undefined;
  /** The fields of google.rpc.BadRequest; undefined when the status has none. */
  readonly violations: readonly FieldViolation[] | undefined;
  /** The delay of google.rpc.RetryInfo in ms; undefined when the status has none. */
  readonly retryAfterMs: number | undefined;

  constructor(error: ServiceError) {
    super(error.details);
    this.name = "CallError";
    this.code = status[error.code];
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    const details = bytes instanceof Uint8Array ? decodeDetails(bytes, error) : [];
    this.info = unpack<ErrorInfo>(details, "ErrorInfo");
    this.violations = unpack<{ fieldViolations: FieldViolation[] }>(details, "BadRequest")?.fieldViolations
      .map(({ field, description }) => ({ field, description }));
    const delay = unpack<{ retryDelay: { seconds: number; nanos: number } }>(details, "RetryInfo")
      ?.retryDelay;
    this.retryAfterMs = delay && delay.seconds * 1000 + delay.nanos / 1e6;
  }

  get reason(): string | undefined {
    return this.info?.reason;
  }
}

function decodeDetails(bytes: Uint8Array, error: ServiceError): Packed[] {
  const { code, message, details } = decodeMessage<{ code: number; message: string; details: Packed[] }>(
    "google.rpc.Status",
    bytes,
  );
  if (code !== error.code || message !== error.details) {
    throw new Error(`The status is ${error.code} ${error.details}, but its details have ${code} ${message}`);
  }
  return details;
}

function unpack<T>(details: readonly Packed[], type: string): T | undefined {
  const found = details.find((packed) => packed.type_url === `type.googleapis.com/google.rpc.${type}`);
  return found && decodeMessage<T>(`google.rpc.${type}`, found.value);
}
