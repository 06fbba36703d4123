/** The one place where errors become gRPC statuses. */
import { type ErrorCode, ServiceError } from "../core/errors.ts";
import { Metadata } from "../transport/metadata.ts";
import type { StatusObject } from "../transport/service.ts";
import { Status, type StatusCode } from "../transport/status.ts";
import type { Refusal } from "./refusal.ts";
import { encodeStatus } from "./status_details.ts";

interface Translation {
  readonly status: StatusCode;
  /** A name of ErrorReason in proto/cacheserver/v1/errors.proto. */
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** How long a client should wait before it asks a tier again that was away, unless the tier says it better. */
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

/** All that a client learns of a mistake of ours; the cause is in the log. */
const NEUTRAL_TEXT = "Cannot answer: internal error";

/** The trailer that carries a google.rpc.Status. */
const DETAILS_KEY = "grpc-status-details-bin";

/** The status of an error. Whatever is no {@link ServiceError} is a mistake of ours: INTERNAL. */
export function toStatus(error: unknown): StatusObject {
  if (!(error instanceof ServiceError) || error.code === "internal") {
    return statusOf("internal", NEUTRAL_TEXT);
  }
  return statusOf(error.code, error.message, error);
}

/** The status of a refusal. */
export function refusalStatus({ code, text }: Refusal): StatusObject {
  return statusOf(code, text);
}

/** What an error says beside its code and text. */
type Told = Partial<Pick<ServiceError, "tier" | "violations" | "retryAfterMs">>;

function statusOf(
  errorCode: ErrorCode,
  text: string,
  { tier, violations = [], retryAfterMs }: Told = {},
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

/** The trailers of an error that the transport has made, or undefined when the contract has no reason for it. */
export function describeTransportError(code: StatusCode, text: string): Metadata | undefined {
  const reason = TRANSPORT_REASONS[code];
  if (reason === undefined) return undefined;
  const metadata = new Metadata();
  const details = { reason, metadata: {}, violations: [], retryAfterMs: undefined };
  metadata.set(DETAILS_KEY, encodeStatus(code, text, details));
  return metadata;
}
