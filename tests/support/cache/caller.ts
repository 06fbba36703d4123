import type { Caller } from "../../../src/core/ports.ts";

/** A caller that never leaves. */
export const PATIENT: Caller = { cancelled: false, whenCancelled() {} };

/** A caller that the test lets leave. */
export class LeavingCaller implements Caller {
  cancelled = false;
  readonly #listeners: (() => void)[] = [];

  whenCancelled(listener: () => void): void {
    if (this.cancelled) listener();
    else this.#listeners.push(listener);
  }

  leave(): void {
    this.cancelled = true;
    for (const listener of this.#listeners.splice(0)) listener();
  }
}
