/** The one place where errors become gRPC statuses. */
import { type ErrorCode, ServiceError } from "../core/errors.ts";
import { Metadata } from "../transport/metadata.ts";
import type { StatusObject } from "../transport/service.ts";
import { Status, type StatusCode } from "../transport/status.ts";
import { encodeStatus } from "./status_details.ts";

interface Translation {
  readonly status: StatusCode;
  /** A name of ErrorReason in proto/cacheserver/v1/errors.proto. */
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** When a client should ask an unavailable tier again, unless the error has a better estimate. */
const RETRY_AFTER_MS = 1000;

const TRANSLATIONS = {
  invalid_argument: { status: Status.INVALID_ARGUMENT, reason: "INVALID_ARGUMENT" },
  key_not_found: { status: Status.NOT_FOUND, reason: "KEY_NOT_FOUND" },
  secret_not_found: { status: Status.NOT_FOUND, reason: "SECRET_NOT_FOUND" },
  secret_expired: { status: Status.NOT_FOUND, reason: "SECRET_EXPIRED" },
  secret_disabled: { status: Status.PERMISSION_DENIED, reason: "SECRET_DISABLED" },
  store_unavailable: {
    status: Status.UNAVAILABLE,
    reason: "STORE_UNAVAILABLE",
    retryAfterMs: RETRY_AFTER_MS,
  },
  deadline_exceeded: { status: Status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" },
  cancelled: { status: Status.CANCELLED, reason: "CANCELLED" },
  internal: { status: Status.INTERNAL, reason: "INTERNAL" },
} as const satisfies Record<ErrorCode, Translation>;

/** The whole text of an internal error for clients; its cause is in the log. */
const NEUTRAL_TEXT = "Cannot answer: internal error";

/** The trailer that carries a google.rpc.Status. */
const DETAILS_KEY = "grpc-status-details-bin";

/**
 * An error that is returned instead of thrown: a first Get of a key usually finds nothing, and the stack of a thrown
 * error costs 1.5 µs.
 */
export class ReturnedError {
  readonly code: ErrorCode;
  /** For the client; in the grammar of {@link ServiceError}. */
  readonly text: string;

  constructor(code: ErrorCode, text: string) {
    this.code = code;
    this.text = text;
  }
}

/** The status of an error. Anything but a {@link ServiceError} is a mistake of this program: INTERNAL. */
export function toStatus(error: unknown): StatusObject {
  if (error instanceof ReturnedError) return statusOf(error.code, error.text);
  if (!(error instanceof ServiceError) || error.code === "internal") {
    return statusOf("internal", NEUTRAL_TEXT);
  }
  return statusOf(error.code, error.message, error);
}

type ErrorDetails = Partial<Pick<ServiceError, "tier" | "violations" | "retryAfterMs">>;

function statusOf(
  errorCode: ErrorCode,
  text: string,
  { tier, violations = [], retryAfterMs }: ErrorDetails = {},
): StatusObject {
  const translation: Translation = TRANSLATIONS[errorCode];
  const { status: code, reason } = translation;
  const metadata = new Metadata();
  metadata.set(
    DETAILS_KEY,
    encodeStatus(code, text, {
      reason,
      metadata: tier === undefined ? {} : { tier },
      violations,
      retryAfterMs: translation.retryAfterMs && (retryAfterMs ?? translation.retryAfterMs),
    }),
  );
  return { code, details: text, metadata };
}

/** The reasons of errors that the transport makes itself. */
const TRANSPORT_REASONS: Readonly<Partial<Record<StatusCode, string>>> = {
  [Status.RESOURCE_EXHAUSTED]: "LIMIT_EXCEEDED",
  [Status.DEADLINE_EXCEEDED]: "DEADLINE_EXCEEDED",
  [Status.CANCELLED]: "CANCELLED",
  [Status.INTERNAL]: "INTERNAL",
};

/** The trailers of an error that the transport made; undefined if the contract has no reason for its code. */
export function describeTransportError(code: StatusCode, text: string): Metadata | undefined {
  const reason = TRANSPORT_REASONS[code];
  if (reason === undefined) return undefined;
  const metadata = new Metadata();
  const details = { reason, metadata: {}, violations: [], retryAfterMs: undefined };
  metadata.set(DETAILS_KEY, encodeStatus(code, text, details));
  return metadata;
}
