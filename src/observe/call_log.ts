import type { Clock } from "../core/clock.ts";
import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "./logger.ts";

/** One operation of a tier on behalf of a call. */
interface Step {
  readonly tier: string;
  readonly operation: string;
  readonly tookMs: number;
  readonly hasAnswered: boolean;
}

/** The course of a call so far. */
interface CallRecord {
  readonly steps: Step[];
  /** Whether the call waits for a read that another call began. */
  hasJoined: boolean;
}

/** With one of these statuses and no step, the call was answered from local memory. */
const LOCAL_STATUSES = ["OK", "NOT_FOUND", "PERMISSION_DENIED"];

/**
 * Writes a line for each call, at level debug: its method, status and time, the tier that answered, and the operations
 * of each tier with their times. An AsyncLocalStorage carries a call's record through its promises; above level debug
 * there is no call log, so calls do not pay for it.
 */
export class CallLog {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #records = new AsyncLocalStorage<CallRecord>();

  constructor(logger: Logger, clock: Pick<Clock, "monotonic">) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Runs `handle`, which calls `ended` with the name of the call's gRPC status. */
  watch(path: string, handle: (ended: (status: string) => void) => void): void {
    const record: CallRecord = { steps: [], hasJoined: false };
    const beganMs = this.#clock.monotonic();
    const ended = (status: string) => {
      const { tier, tierMs, tiers } = summary(record, status);
      const ms = rounded(this.#clock.monotonic() - beganMs);
      this.#logger.debug("call", { method: path, status, ms, tier, tier_ms: tierMs, tiers });
    };
    this.#records.run(record, () => handle(ended));
  }

  /** An operation of a tier begins; call the returned function when it has answered or failed. */
  tierAsked(tier: string, operation: string): (hasAnswered: boolean) => void {
    const record = this.#records.getStore();
    const beganMs = this.#clock.monotonic();
    return (hasAnswered) => {
      record?.steps.push({ tier, operation, tookMs: this.#clock.monotonic() - beganMs, hasAnswered });
    };
  }

  /** The current call waits for a read that another call began. */
  readJoined(): void {
    const record = this.#records.getStore();
    if (record !== undefined) record.hasJoined = true;
  }
}

interface Summary {
  /** The last tier that answered; `joined` if another call's read did. */
  readonly tier: string | undefined;
  readonly tierMs: number | undefined;
  /** The operations in the order of their ends. */
  readonly tiers: string | undefined;
}

function summary({ steps, hasJoined }: CallRecord, status: string): Summary {
  const last = steps.findLast(({ hasAnswered }) => hasAnswered);
  const instead = hasJoined
    ? "joined"
    : steps.length === 0 && LOCAL_STATUSES.includes(status)
    ? "local"
    : undefined;
  const texts = steps.map(({ tier, operation, tookMs, hasAnswered }) =>
    `${tier} ${operation}${hasAnswered ? "" : " failed"} ${rounded(tookMs)} ms`
  );
  return {
    tier: last?.tier ?? instead,
    tierMs: last && rounded(last.tookMs),
    tiers: texts.length === 0 ? undefined : texts.join(", "),
  };
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
