import type { Family } from "./history.ts";

/** How stale an answer may be. */
export interface Bounds {
  /**
   * How long after one replica acknowledged a change the others may return the old value; `disturbed` holds from the
   * start of a fault until `recoveryMs` after its end. The replica that acknowledged it must not return the old value,
   * and no replica may after everything has settled.
   */
  readonly graceMs: Readonly<Record<Family, { readonly calm: number; readonly disturbed: number }>>;
  readonly recoveryMs: number;
  /**
   * How long a shared read may go on after one of its callers got an answer: only a caller that gives up is answered
   * before the read ends.
   */
  readonly lingerMs: number;
  /**
   * How long after its client got a failure, or gave up, a change may still take effect. If its process was frozen
   * meanwhile, this counts from the end of the freeze.
   */
  readonly lateMs: Readonly<Record<Family, number>>;
}
