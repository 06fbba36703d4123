import type { Clock, Timer } from "../core/clock.ts";
import type { LogFields, Logger } from "./logger.ts";

/** At most one line about a subject in this time: a tier that is away fails every request. */
const QUIET_MS = 10_000;

/** What has been kept back of one subject since its last line. */
interface Silence {
  readonly event: string;
  readonly timer: Timer;
  suppressed: number;
  /** The latest of them. */
  fields: LogFields;
}

/**
 * Warns of each subject at most once in ten seconds.
 *
 *     10:00:00  the first warning is written at once
 *     10:00:10  if more came meanwhile: the latest of them, with `suppressed`, their number
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
    this.#beSilent(subject, event, fields);
  }

  /** Writes what has been kept back. */
  [Symbol.dispose](): void {
    for (const silence of this.#silences.values()) {
      silence.timer.cancel();
      this.#tell(silence);
    }
    this.#silences.clear();
  }

  #beSilent(subject: string, event: string, fields: LogFields): void {
    const timer = this.#clock.setTimer(
      () => {
        this.#silences.delete(subject);
        this.#tell(silence);
        if (silence.suppressed > 0) this.#beSilent(subject, silence.event, silence.fields);
      },
      QUIET_MS,
      "background",
    );
    const silence: Silence = { event, timer, suppressed: 0, fields };
    this.#silences.set(subject, silence);
  }

  #tell({ event, suppressed, fields }: Silence): void {
    if (suppressed > 0) this.#logger.warn(event, { ...fields, suppressed });
  }
}
