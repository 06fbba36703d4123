import { Metadata } from "../metadata.ts";
import type { StatusObject } from "../service.ts";
import { Status, type StatusCode } from "../status.ts";

/** An error that the transport finds in a call. It ends the call with its status. */
export class CallError extends Error implements StatusObject {
  override readonly name = "CallError";
  readonly details: string;

  constructor(readonly code: StatusCode, details: string) {
    super(details);
    this.details = details;
  }
}

const codes: ReadonlySet<unknown> = new Set(Object.values(Status));

/**
 * The status of an error, by grpc-js's rules: the error's own `code`, `details` and `metadata` if it has them, else
 * UNKNOWN.
 */
export function statusFromError(error: unknown, trailer?: Metadata | null): StatusObject {
  const { code, details, message, metadata } = Object(error) as Readonly<Record<string, unknown>>;
  const hasCode = codes.has(code);
  const text = hasCode && typeof details === "string"
    ? details
    : typeof message === "string"
    ? message
    : "Unknown Error";
  const trailers = trailer ?? (metadata instanceof Metadata ? metadata : undefined);
  return {
    code: hasCode ? code as StatusCode : Status.UNKNOWN,
    details: text,
    ...(trailers === undefined ? {} : { metadata: trailers }),
  };
}
