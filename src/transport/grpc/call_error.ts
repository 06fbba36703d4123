import type { StatusObject } from "../service.ts";
import type { StatusCode } from "../status.ts";

/** Ends a call with a status; found by the transport itself. */
export class CallError extends Error implements StatusObject {
  override readonly name = "CallError";
  readonly details: string;

  constructor(readonly code: StatusCode, details: string) {
    super(details);
    this.details = details;
  }
}
