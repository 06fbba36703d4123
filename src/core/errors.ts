/** The one family of errors. The text follows one grammar: "Cannot <do>: <what is wrong>, expected <what is accepted>". */

/** Every way in which a request can fail. Each surface translates them by a table whose completeness is type-checked. */
export type ErrorCode =
  /** The request is not acceptable; see {@link ServiceError.violations}. */
  | "invalid_argument"
  | "key_not_found"
  | "secret_not_found"
  | "secret_expired"
  | "secret_disabled"
  /** The authority did not answer, or not in time. Nothing is known about the key. */
  | "store_unavailable"
  /** The caller's deadline has passed. */
  | "deadline_exceeded"
  /** The caller has left. */
  | "cancelled"
  /** A mistake of this program, or data in a store that it cannot read. */
  | "internal";

/** One thing that is wrong with a request. */
export interface Violation {
  /** The field's name in the proto, with dots for nested ones: `value.type_url`. */
  readonly field: string;
  /** What is wrong, what the value was and what is accepted. Never holds a secret or a value's bytes. */
  readonly description: string;
}

export interface ServiceErrorOptions {
  readonly cause?: unknown;
  readonly violations?: readonly Violation[];
  /** The tier that failed: `redis`, `database`. */
  readonly tier?: string;
  /** When a retry may succeed, if known. */
  readonly retryAfterMs?: number;
  /** See {@link ServiceError.hadNoEffect}; false if absent. */
  readonly hadNoEffect?: boolean;
  /**
   * For a change whose outcome is unknown: resolves once it can no longer take effect. Undefined if that is so already,
   * or if the store cannot tell.
   */
  readonly settled?: Promise<void> | undefined;
}

/** A failure with a code that every surface can translate. Its message is for the caller, its cause for the log. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  /** Everything that is wrong with the request; empty unless the code is `invalid_argument`. */
  readonly violations: readonly Violation[];
  readonly tier: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** Whether a failed change certainly has no effect, now or later. If false, its outcome is unknown. */
  readonly hadNoEffect: boolean;
  /** See {@link ServiceErrorOptions.settled}. */
  readonly settled: Promise<void> | undefined;

  constructor(code: ErrorCode, message: string, options: ServiceErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "ServiceError";
    this.code = code;
    this.violations = options.violations ?? [];
    this.tier = options.tier;
    this.retryAfterMs = options.retryAfterMs;
    this.hadNoEffect = options.hadNoEffect ?? false;
    this.settled = options.settled;
  }
}
