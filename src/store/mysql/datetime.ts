/** Formatted as MySQL writes a DATETIME, but for the comma between date and time. */
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

/** Formatting an instant in a zone costs 3 µs, and a row has two: ten years of days make it rare. */
const MAX_REMEMBERED_DAYS = 4096;

/**
 * Reads and writes DATETIME columns, which say a time of day without its zone: the same texts as a Go program
 * with the DSN's `loc`.
 *
 *     clocks go back:     02:30 happens twice     the earlier instant is meant
 *     clocks go forward:  02:30 never happens     03:30 is meant, as if they had not
 */
export class MysqlDatetime {
  readonly #format: Intl.DateTimeFormat;
  /** The offset through each of the UTC days that were met, counted from 1970; undefined where it changes within. */
  readonly #dayOffsetsMs = new Map<number, number | undefined>();
  /** The last instant that was written: of many changes in one second the first alone is formatted. */
  #lastSecondMs = NaN;
  #lastText = "";

  /** `UTC`, `Local` (this machine's zone) or an IANA name. Throws a RangeError for an unknown one. */
  constructor(location: string) {
    const zone = location === "Local" ? {} : { timeZone: location };
    this.#format = new Intl.DateTimeFormat("en-US", { ...FORMAT, ...zone });
  }

  /** The column's text for an instant; parts of a second are cut off. */
  toText(epochMs: number): string {
    const secondMs = Math.floor(epochMs / 1000) * 1000;
    if (secondMs !== this.#lastSecondMs) {
      const text = new Date(secondMs + this.#offsetMs(secondMs)).toISOString();
      this.#lastText = text.slice(0, 19).replace("T", " ");
      this.#lastSecondMs = secondMs;
    }
    return this.#lastText;
  }

  /** Ms since the Unix epoch; 0 for NULL, for the zero date and for anything else that is no date. */
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

  /** How far the zone's clocks are ahead of UTC at an instant. */
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

/** The text read as if it were UTC; NaN when it is no date. */
function utcMs(text: string): number {
  const match = DATETIME.exec(text);
  return match === null ? NaN : Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}Z`);
}
