/** The parts of a DATETIME as MySQL writes them. */
const FORMAT: Intl.DateTimeFormatOptions = {
  calendar: "gregory",
  numberingSystem: "latn",
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
};

const DATETIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)$/;
const DAY_MS = 86_400_000;

/** Formatting an instant in a zone costs 3 µs, and a row has two. Ten years of cached days make that rare. */
const MAX_REMEMBERED_DAYS = 4096;

/**
 * Reads and writes DATETIME columns, which hold a wall time without a zone, as a Go program does with the DSN's `loc`.
 *
 *     clocks go back:     02:30 happens twice     reads as the earlier instant
 *     clocks go forward:  02:30 never happens     reads as 03:30
 */
export class MysqlDatetime {
  readonly #format: Intl.DateTimeFormat;
  /** The zone's offset by UTC day since 1970; undefined for a day in which it changes. */
  readonly #dayOffsetsMs = new Map<number, number | undefined>();
  /** The last written second: only the first change of a second is formatted. */
  #lastSecondMs = NaN;
  #lastText = "";

  /** `UTC`, `Local` (this machine's zone) or an IANA name. Throws a RangeError for an unknown one. */
  constructor(location: string) {
    const zone = location === "Local" ? {} : { timeZone: location };
    this.#format = new Intl.DateTimeFormat("en-US", { ...FORMAT, ...zone });
  }

  /** The column's text for an instant, truncated to seconds. */
  toText(epochMs: number): string {
    const secondMs = Math.floor(epochMs / 1000) * 1000;
    if (secondMs !== this.#lastSecondMs) {
      const text = new Date(secondMs + this.#offsetMs(secondMs)).toISOString();
      this.#lastText = text.slice(0, 19).replace("T", " ");
      this.#lastSecondMs = secondMs;
    }
    return this.#lastText;
  }

  /** Ms since the Unix epoch; 0 for NULL, the zero date and any text that is no date. */
  toEpochMs(text: string | null): number {
    const wallMs = utcMs(text ?? "");
    if (Number.isNaN(wallMs)) return 0;
    // Zones change their offset at most once within two days.
    const before = this.#offsetMs(wallMs - DAY_MS);
    const after = this.#offsetMs(wallMs + DAY_MS);
    if (before !== after && this.#offsetMs(wallMs - before) !== before) {
      if (this.#offsetMs(wallMs - after) === after) return wallMs - after;
    }
    return wallMs - before;
  }

  /** The zone's offset from UTC at an instant. */
  #offsetMs(epochMs: number): number {
    const day = Math.floor(epochMs / DAY_MS);
    if (!this.#dayOffsetsMs.has(day)) {
      if (this.#dayOffsetsMs.size === MAX_REMEMBERED_DAYS) this.#dayOffsetsMs.clear();
      const first = this.#formattedOffsetMs(day * DAY_MS);
      const isSteady = this.#formattedOffsetMs((day + 1) * DAY_MS) === first;
      this.#dayOffsetsMs.set(day, isSteady ? first : undefined);
    }
    return this.#dayOffsetsMs.get(day) ?? this.#formattedOffsetMs(epochMs);
  }

  #formattedOffsetMs(epochMs: number): number {
    const secondMs = Math.floor(epochMs / 1000) * 1000;
    return utcMs(this.#wallTime(secondMs)) - secondMs;
  }

  #wallTime(epochMs: number): string {
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
    for (const { type, value } of this.#format.formatToParts(epochMs)) part[type] = value;
    const year = part.year?.padStart(4, "0");
    return `${year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second}`;
  }
}

/** The instant if the text were in UTC; NaN for a text that is no date. */
function utcMs(text: string): number {
  const match = DATETIME.exec(text);
  return match === null ? NaN : Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}Z`);
}
