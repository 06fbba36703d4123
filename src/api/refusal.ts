import type { ErrorCode } from "../core/errors.ts";

/**
 * An answer that is no: what was asked for is not there. Not an error, which is thrown: nothing has gone wrong, a cache
 * answers it to every first Get of a key, and an error's stack alone costs 1.5 us.
 */
export class Refusal {
  readonly code: ErrorCode;
  /** For the client; in the grammar of {@link ServiceError}. */
  readonly text: string;

  constructor(code: ErrorCode, text: string) {
    this.code = code;
    this.text = text;
  }
}
