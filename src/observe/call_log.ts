import type { Clock } from "../core/clock.ts";
import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "./logger.ts";

/** One question to a tier on behalf of a call. */
interface Step {
  readonly tier: string;
  readonly operation: string;
  readonly tookMs: number;
  readonly hasAnswered: boolean;
}

/** What has been seen of a call so far. */
interface CallRecord {
  readonly steps: Step[];
  /** Whether it waits for what another call has begun to read. */
  hasJoined: boolean;
}

/** The statuses of calls that got as far as local memory, if no other tier was asked. */
const ANSWERED = ["OK", "NOT_FOUND", "PERMISSION_DENIED"];

/**
 * Writes a line for each call, at level debug: its method, status and time, the tier that answered, and what each tier
 * was asked and took. The record of a call follows it through its promises; it is of no cost to a service that does
 * not log so much, which has no call log.
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

  /** A tier is asked something; what is returned is called when it has answered or failed. */
  tierAsked(tier: string, operation: string): (hasAnswered: boolean) => void {
    const record = this.#records.getStore();
    const beganMs = this.#clock.monotonic();
    return (hasAnswered) => {
      record?.steps.push({ tier, operation, tookMs: this.#clock.monotonic() - beganMs, hasAnswered });
    };
  }

  /** A call waits for a read that is under way already. */
  readJoined(): void {
    const record = this.#records.getStore();
    if (record !== undefined) record.hasJoined = true;
  }
}

interface Summary {
  /** The last tier that answered; `joined` where another call's read did. */
  readonly tier: string | undefined;
  readonly tierMs: number | undefined;
  /** Every question in the order of the answers. */
  readonly tiers: string | undefined;
}

function summary({ steps, hasJoined }: CallRecord, status: string): Summary {
  const last = steps.findLast(({ hasAnswered }) => hasAnswered);
  const instead = hasJoined
    ? "joined"
    : steps.length === 0 && ANSWERED.includes(status)
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
