/** The kinds of value that a key may have: how each is read, checked and written. */
import { type Endpoint, endpointText, parseEndpoint } from "../core/endpoint.ts";
import type { Fault } from "./config_error.ts";
import { formatDuration, parseDurationMs } from "./duration.ts";
import { formatSize, parseSizeBytes } from "./size.ts";

/** A value, or why there is none. */
export type Reading<T> = { readonly value: T } | Fault;

/** One kind of value. */
export interface Kind<T> {
  /** Reads a value as YAML has it. */
  read(value: unknown): Reading<T>;
  /** Reads what a variable, a flag or an expanded reference says. */
  readText(text: string): Reading<T>;
  /** The text that {@link readText} reads back. */
  format(value: T): string;
}

/** The smallest and the largest value that is accepted. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Text without control characters that `legal` accepts; `accepted` completes "expected ...". */
export function text(legal: (text: string) => boolean, accepted: string): Kind<string> {
  const readText = (text: string): Reading<string> =>
    // deno-lint-ignore no-control-regex -- control characters are what it looks for
    /[\x00-\x1f\x7f]/.test(text) || !legal(text) ? { wrong: "is not accepted", accepted } : { value: text };
  return {
    readText,
    read: (value) =>
      typeof value === "string" ? readText(value) : {
        wrong: "is not text",
        accepted: `${accepted}, with quotes around what YAML takes for something else`,
      },
    format: (value) => value,
  };
}

/** One of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): Kind<W> {
  const accepted = new Intl.ListFormat("en", { type: "disjunction" }).format(words);
  const read = (value: unknown): Reading<W> => {
    const word = words.find((word) => word === value);
    return word === undefined ? { wrong: "is not accepted", accepted } : { value: word };
  };
  return { read, readText: read, format: (value) => value };
}

/** True or false. */
export function boolean(): Kind<boolean> {
  const fault: Fault = { wrong: "is not a boolean", accepted: "true or false" };
  return {
    read: (value) => typeof value === "boolean" ? { value } : fault,
    readText: (text) => text === "true" || text === "false" ? { value: text === "true" } : fault,
    format: String,
  };
}

/** A whole number. */
export function integer(range: Range): Kind<number> {
  const accepted = `a whole number from ${range.min} to ${range.max}`;
  const read = (value: unknown): Reading<number> =>
    Number.isSafeInteger(value)
      ? inRange(value as number, range, accepted)
      : { wrong: "is not a whole number", accepted };
  return {
    read,
    readText: (text) => read(/^-?\d{1,15}$/.test(text) ? Number(text) : text),
    format: String,
  };
}

/** A share of a whole: above 0 and up to 1. */
export function ratio(): Kind<number> {
  return share((value) => value > 0 && value <= 1, "a number above 0 and up to 1, such as 0.5");
}

/** A share that may be nothing and is never the whole: from 0 to below 1. */
export function fraction(): Kind<number> {
  return share((value) => value >= 0 && value < 1, "a number from 0 to below 1, such as 0.1");
}

function share(isLegal: (value: number) => boolean, accepted: string): Kind<number> {
  const read = (value: unknown): Reading<number> =>
    typeof value === "number" && isLegal(value) ? { value } : { wrong: "is not accepted", accepted };
  return {
    read,
    readText: (text) => read(/^\d?\.?\d{1,15}$/.test(text) ? Number(text) : text),
    format: String,
  };
}

/** 24 days: the longest time that a JavaScript timer can wait, rounded down. */
const MAX_DURATION_MS = 24 * 24 * 3_600_000;

/** Milliseconds, written with a unit, up to `maxMs`. */
export function duration(maxMs = MAX_DURATION_MS): Kind<number> {
  return durationBetween({ min: 1, max: maxMs });
}

/** Like {@link duration}, of a time that may be none at all. */
export function durationOrZero(): Kind<number> {
  return durationBetween({ min: 0, max: MAX_DURATION_MS });
}

function durationBetween(range: Range): Kind<number> {
  const accepted = `from ${formatDuration(range.min)} to ${formatDuration(range.max)}`;
  const readText = (text: string): Reading<number> => {
    const ms = parseDurationMs(text);
    return ms === undefined
      ? { wrong: "is not a duration", accepted: "a number with a unit such as 1s, 0.2s or 200ms" }
      : inRange(ms, range, accepted);
  };
  return { read: (value) => readText(String(value)), readText, format: formatDuration };
}

/** As {@link duration}, where 0 says never; its value is Infinity. */
export function durationOrNever(maxMs?: number): Kind<number> {
  const { readText, format } = duration(maxMs);
  const readTextOrNever = (text: string): Reading<number> =>
    /^0(?:ms|[smh])?$/.test(text) ? { value: Infinity } : readText(text);
  return {
    read: (value) => readTextOrNever(String(value)),
    readText: readTextOrNever,
    format: (value) => value === Infinity ? "0s" : format(value),
  };
}

/** Bytes, with a unit or without. */
export function size(range: Range): Kind<number> {
  const readText = (text: string): Reading<number> => {
    const bytes = parseSizeBytes(text);
    return bytes === undefined
      ? { wrong: "is not a size", accepted: "a number of bytes, or one with a unit such as 512KiB or 64MiB" }
      : inRange(bytes, range, `from ${formatSize(range.min)} to ${formatSize(range.max)}`);
  };
  return { read: (value) => readText(String(value)), readText, format: formatSize };
}

/** As {@link size}, where 0 says that there is no limit; its value is Infinity. */
export function sizeOrUnlimited(range: Range): Kind<number> {
  const { readText, format } = size(range);
  const readTextOrUnlimited = (text: string): Reading<number> => {
    if (/^0(?:[KMG]i?B|B)?$/.test(text)) return { value: Infinity };
    const reading = readText(text);
    return "value" in reading ? reading : { ...reading, accepted: `0 for no limit, or ${reading.accepted}` };
  };
  return {
    read: (value) => readTextOrUnlimited(String(value)),
    readText: readTextOrUnlimited,
    format: (value) => value === Infinity ? "0" : format(value),
  };
}

/** An address to listen on; no host means all of this machine's, port 0 a free one. */
export function listenAddress(): Kind<Endpoint> {
  return address("0.0.0.0", 0, "host:port with a port from 0 to 65535, such as 127.0.0.1:9000 or [::]:9000");
}

/** An address to connect to; no host means this machine. */
export function remoteAddress(): Kind<Endpoint> {
  return address("127.0.0.1", 1, "host:port with a port from 1 to 65535, such as 127.0.0.1:6379");
}

function address(defaultHostname: string, minPort: number, accepted: string): Kind<Endpoint> {
  const fault: Fault = { wrong: "is not an address", accepted };
  const readText = (text: string): Reading<Endpoint> => {
    const parsed = parseEndpoint(text);
    if (parsed === undefined || parsed.port < minPort) return fault;
    return { value: { hostname: parsed.hostname || defaultHostname, port: parsed.port } };
  };
  // A list of one would read as its element.
  const read = (value: unknown) => Array.isArray(value) ? fault : readText(String(value));
  return { read, readText, format: endpointText };
}

/** Addresses to connect to: a YAML list, or text with commas between them. */
export function remoteAddresses(): Kind<readonly Endpoint[]> {
  const { read, format } = remoteAddress();
  const accepted = "a list of host:port, or host:port,host:port as text";
  const readAll = (values: readonly unknown[]): Reading<readonly Endpoint[]> => {
    const readings = values.map((value) => read(typeof value === "string" ? value.trim() : value));
    const addresses = readings.flatMap((reading) => "value" in reading ? [reading.value] : []);
    return addresses.length === 0 || addresses.length < readings.length
      ? { wrong: "is not a list of addresses", accepted }
      : { value: addresses };
  };
  const readText = (text: string) => readAll(text.split(","));
  return {
    readText,
    read: (value) => Array.isArray(value) ? readAll(value) : readText(String(value)),
    format: (addresses) => addresses.map(format).join(","),
  };
}

function inRange(value: number, { min, max }: Range, accepted: string): Reading<number> {
  return value >= min && value <= max ? { value } : { wrong: "is out of range", accepted };
}
