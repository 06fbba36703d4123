import type { Clock, Timer } from "../core/clock.ts";
import type { LogFields, Logger } from "./logger.ts";

/** At most one line a subject in this time: a tier that is down fails every request. */
const QUIET_MS = 10_000;

/** The warnings of one subject since its last line. */
interface Silence {
  readonly event: string;
  readonly timer: Timer;
  suppressed: number;
  /** The fields of the latest warning. */
  fields: LogFields;
}

/**
 * Warns of each subject at most once in ten seconds.
 *
 *     10:00:00  the first warning is written at once
 *     10:00:10  if more came since: the latest of them, with `suppressed`, their number
 *     10:00:20  the same, until ten seconds pass without one
 */
export class QuietLog implements Disposable {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #silences = new Map<string, Silence>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  warn(subject: string, event: string, fields: LogFields): void {
    const silence = this.#silences.get(subject);
    if (silence !== undefined) {
      silence.suppressed++;
      silence.fields = fields;
      return;
    }
    this.#logger.warn(event, fields);
    this.#silence(subject, event, fields);
  }

  /** Writes the suppressed warnings. */
  [Symbol.dispose](): void {
    for (const silence of this.#silences.values()) {
      silence.timer.cancel();
      this.#writeSuppressed(silence);
    }
    this.#silences.clear();
  }

  #silence(subject: string, event: string, fields: LogFields): void {
    const timer = this.#clock.setTimer(
      () => {
        this.#silences.delete(subject);
        this.#writeSuppressed(silence);
        if (silence.suppressed > 0) this.#silence(subject, silence.event, silence.fields);
      },
      QUIET_MS,
      "background",
    );
    const silence: Silence = { event, timer, suppressed: 0, fields };
    this.#silences.set(subject, silence);
  }

  #writeSuppressed({ event, suppressed, fields }: Silence): void {
    if (suppressed > 0) this.#logger.warn(event, { ...fields, suppressed });
  }
}
