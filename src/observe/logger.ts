import type { Clock } from "../core/clock.ts";

/** The least severe level that a log writes; it writes the later ones too. */
export type LogLevel = "debug" | "info" | "warn" | "error";

const SEVERITY = { debug: 0, info: 1, warn: 2, error: 3 } as const satisfies Record<LogLevel, number>;

/** The fields of a line after time, level and event; an Error is written as its text and causes. */
export type LogFields = Readonly<Record<string, string | number | boolean | Error | undefined>>;

/** Writes one JSON object a line: `{"time":"…","level":"info","event":"serving","address":"127.0.0.1:9000"}`. */
export class Logger {
  readonly #clock: Clock;
  readonly #level: LogLevel;
  readonly #write: (line: string) => void;

  /** `write` takes a line without its line break. */
  constructor(clock: Clock, level: LogLevel, write: (line: string) => void) {
    this.#clock = clock;
    this.#level = level;
    this.#write = write;
  }

  /** Whether lines of this level are written. */
  writes(level: LogLevel): boolean {
    return SEVERITY[level] >= SEVERITY[this.#level];
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#log("debug", event, fields);
  }

  info(event: string, fields: LogFields = {}): void {
    this.#log("info", event, fields);
  }

  warn(event: string, fields: LogFields = {}): void {
    this.#log("warn", event, fields);
  }

  error(event: string, fields: LogFields = {}): void {
    this.#log("error", event, fields);
  }

  #log(level: LogLevel, event: string, fields: LogFields): void {
    if (!this.writes(level)) return;
    const time = new Date(this.#clock.now()).toISOString();
    const shown = Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error ? causes(value) : value,
    ]);
    this.#write(JSON.stringify({ time, level, event, ...Object.fromEntries(shown) }));
  }
}

/** A bound, because an error may be its own cause. */
const MAX_CAUSES = 8;

/** An error's text, followed by the texts of its causes. */
function causes(error: Error): string {
  const texts: string[] = [];
  for (
    let cause: unknown = error;
    cause !== undefined && texts.length < MAX_CAUSES;
    cause = cause instanceof Error ? cause.cause : undefined
  ) {
    texts.push(cause instanceof Error ? cause.message || cause.name : String(cause));
  }
  return texts.join(": ");
}
