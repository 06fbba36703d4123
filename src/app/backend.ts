/** What every back end gives to the composition root. */
import type { Tier } from "../cache/tier.ts";
import type { Authority } from "../core/ports.ts";

/** A store that holds the truth of one kind of value, and the tier that bounds its calls in time. */
export interface AuthorityBackend<V, C> {
  readonly store: Authority<V, C>;
  readonly tier: Tier;
}

/** A back end as the health service, `/readyz` and the log see it. */
export interface HealthTarget {
  readonly tier: Tier;
  /** Resolves when the back end answers. */
  ping(signal: AbortSignal): Promise<void>;
  /** Present for a back end that may answer reads while it refuses changes. */
  readonly changes?: ChangeCheck;
}

/** Whether a back end accepts changes. */
export interface ChangeCheck {
  /** Rejects when it does not. */
  checkWritable(): Promise<void>;
  /** Calls `listener` when the answer changes: with the reason, or undefined once changes are accepted again. */
  whenRefusalChanges(listener: (reason: Error | undefined) => void): void;
}
