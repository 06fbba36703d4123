import { Metadata } from "../metadata.ts";
import type { StatusObject } from "../service.ts";
import { Status, type StatusCode } from "../status.ts";

const codes: ReadonlySet<unknown> = new Set(Object.values(Status));

/**
 * The status that an error of a handler stands for, by grpc-js's rules: its own `code`, `details` and `metadata`
 * where it has them, else UNKNOWN.
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
