import type { Family } from "./history.ts";

/** How stale an answer may be. */
export interface Bounds {
  /**
   * For how long after a change was acknowledged by one replica the others may answer with what was there
   * before; `disturbed` holds from the start of a fault until `recoveryMs` after its end. The replica that
   * acknowledged it never may, and none may once everything has settled.
   */
  readonly graceMs: Readonly<Record<Family, { readonly calm: number; readonly disturbed: number }>>;
  readonly recoveryMs: number;
  /**
   * For how long a shared read may go on after the answer to one of those who shared it: only one that has
   * given up is answered before the read ends.
   */
  readonly lingerMs: number;
  /**
   * How long after its client got a failure, or gave up, a change may still take effect. If its process was frozen
   * meanwhile, this counts from the end of the freeze.
   */
  readonly lateMs: Readonly<Record<Family, number>>;
}
