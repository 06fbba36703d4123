import type { Family } from "./history.ts";

/** How far behind the truth an answer may be. */
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
   * For how long after its client has heard of a failure, or has given up, a change may still take effect. Of a change
   * whose process was frozen meanwhile this counts from the end of that.
   */
  readonly lateMs: Readonly<Record<Family, number>>;
}
