/** The types of value that a key may have: how each is parsed, checked and written. */
import { type Endpoint, endpointText, parseEndpoint } from "../core/endpoint.ts";
import type { ParseError } from "./config_error.ts";
import { formatDuration, parseDurationMs } from "./duration.ts";
import { formatSize, parseSizeBytes } from "./size.ts";

/** A value, or why there is none. */
export type Parsed<T> = { readonly value: T } | ParseError;

/** One type of value. */
export interface ValueType<T> {
  /** What is accepted, in a few words for the table of keys. */
  readonly accepted: string;
  /** Parses a value of the YAML file. */
  parse(value: unknown): Parsed<T>;
  /** Parses the text of a variable, a flag or an expanded reference. */
  parseText(text: string): Parsed<T>;
  /** The text that {@link parseText} parses back to this value. */
  format(value: T): string;
}

/** The smallest and the largest value that is accepted. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Text without control characters that matches `legal`; `accepted` completes "expected ...". */
export function text(accepted: string, legal?: RegExp): ValueType<string> {
  const parseText = (text: string): Parsed<string> =>
    // deno-lint-ignore no-control-regex -- control characters are what it looks for
    /[\x00-\x1f\x7f]/.test(text) || legal?.test(text) === false
      ? { wrong: "is not accepted", accepted }
      : { value: text };
  return {
    accepted: legal === undefined ? "text" : accepted,
    parseText,
    parse: (value) =>
      typeof value === "string" ? parseText(value) : {
        wrong: "is not text",
        accepted: `${accepted}, in quotes if YAML reads it as another type`,
      },
    format: (value) => value,
  };
}

/** Text without control characters. */
export const anyText = text("text without control characters");

/** One of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueType<W> {
  const accepted = new Intl.ListFormat("en", { type: "disjunction" }).format(words);
  const parse = (value: unknown): Parsed<W> => {
    const word = words.find((word) => word === value);
    return word === undefined ? { wrong: "is not accepted", accepted } : { value: word };
  };
  return { accepted, parse, parseText: parse, format: (value) => value };
}

/** True or false. */
export function boolean(): ValueType<boolean> {
  const error: ParseError = { wrong: "is not a boolean", accepted: "true or false" };
  return {
    accepted: error.accepted,
    parse: (value) => typeof value === "boolean" ? { value } : error,
    parseText: (text) => text === "true" || text === "false" ? { value: text === "true" } : error,
    format: String,
  };
}

/** A whole number. */
export function integer(range: Range): ValueType<number> {
  const accepted = `a whole number from ${range.min} to ${range.max}`;
  const parse = (value: unknown): Parsed<number> =>
    Number.isSafeInteger(value)
      ? inRange(value as number, range, accepted)
      : { wrong: "is not a whole number", accepted };
  return {
    accepted: `${range.min} to ${range.max}`,
    parse,
    parseText: (text) => parse(/^-?\d{1,15}$/.test(text) ? Number(text) : text),
    format: String,
  };
}

/** A share above 0 and up to 1. */
export function ratio(): ValueType<number> {
  return share("above 0 and up to 1", 0.5, (value) => value > 0 && value <= 1);
}

/** A share from 0 to below 1. */
export function fraction(): ValueType<number> {
  return share("from 0 to below 1", 0.1, (value) => value >= 0 && value < 1);
}

function share(range: string, example: number, isLegal: (value: number) => boolean): ValueType<number> {
  const accepted = `a number ${range}, such as ${example}`;
  const parse = (value: unknown): Parsed<number> =>
    typeof value === "number" && isLegal(value) ? { value } : { wrong: "is not accepted", accepted };
  return {
    accepted: range,
    parse,
    parseText: (text) => parse(/^\d?\.?\d{1,15}$/.test(text) ? Number(text) : text),
    format: String,
  };
}

/** 24 days: the longest time that a JavaScript timer can wait, rounded down. */
const MAX_DURATION_MS = 24 * 24 * 3_600_000;

/** Milliseconds, written with a unit, up to `maxMs`. */
export function duration(maxMs = MAX_DURATION_MS): ValueType<number> {
  return durationBetween({ min: 1, max: maxMs });
}

/** As {@link duration}, or 0. */
export function durationOrZero(): ValueType<number> {
  return durationBetween({ min: 0, max: MAX_DURATION_MS });
}

function durationBetween(range: Range): ValueType<number> {
  const accepted = `${formatDuration(range.min)} to ${formatDuration(range.max)}`;
  const parseText = (text: string): Parsed<number> => {
    const ms = parseDurationMs(text);
    return ms === undefined
      ? { wrong: "is not a duration", accepted: "a number with a unit such as 1s, 0.2s or 200ms" }
      : inRange(ms, range, `from ${accepted}`);
  };
  return { accepted, parse: (value) => parseText(String(value)), parseText, format: formatDuration };
}

/** As {@link duration}, or 0 for never, whose value is Infinity. */
export function durationOrNever(maxMs?: number): ValueType<number> {
  const { parseText, format, accepted } = duration(maxMs);
  const parseTextOrNever = (text: string): Parsed<number> =>
    /^0(?:ms|[smh])?$/.test(text) ? { value: Infinity } : parseText(text);
  return {
    accepted: `${accepted}, or 0`,
    parse: (value) => parseTextOrNever(String(value)),
    parseText: parseTextOrNever,
    format: (value) => value === Infinity ? "0s" : format(value),
  };
}

/** Bytes, with a unit or without. */
export function size(range: Range): ValueType<number> {
  const accepted = `${formatSize(range.min)} to ${formatSize(range.max)}`;
  const parseText = (text: string): Parsed<number> => {
    const bytes = parseSizeBytes(text);
    return bytes === undefined
      ? { wrong: "is not a size", accepted: "a number of bytes, or one with a unit such as 512KiB or 64MiB" }
      : inRange(bytes, range, `from ${accepted}`);
  };
  return { accepted, parse: (value) => parseText(String(value)), parseText, format: formatSize };
}

/** As {@link size}, or 0 for no limit, whose value is Infinity. */
export function sizeOrUnlimited(range: Range): ValueType<number> {
  const { parseText, format, accepted } = size(range);
  const parseTextOrUnlimited = (text: string): Parsed<number> => {
    if (/^0(?:[KMG]i?B|B)?$/.test(text)) return { value: Infinity };
    const parsed = parseText(text);
    return "value" in parsed ? parsed : { ...parsed, accepted: `0 for no limit, or ${parsed.accepted}` };
  };
  return {
    accepted: `${accepted}, or 0`,
    parse: (value) => parseTextOrUnlimited(String(value)),
    parseText: parseTextOrUnlimited,
    format: (value) => value === Infinity ? "0" : format(value),
  };
}

/** An address to listen on; no host means all of this machine's, port 0 a free one. */
export function listenAddress(): ValueType<Endpoint> {
  return address("0.0.0.0", 0, "host:port with a port from 0 to 65535, such as 127.0.0.1:9000 or [::]:9000");
}

/** An address to connect to; no host means this machine. */
export function remoteAddress(): ValueType<Endpoint> {
  return address("127.0.0.1", 1, "host:port with a port from 1 to 65535, such as 127.0.0.1:6379");
}

function address(defaultHostname: string, minPort: number, accepted: string): ValueType<Endpoint> {
  const error: ParseError = { wrong: "is not an address", accepted };
  const parseText = (text: string): Parsed<Endpoint> => {
    const parsed = parseEndpoint(text);
    if (parsed === undefined || parsed.port < minPort) return error;
    return { value: { hostname: parsed.hostname || defaultHostname, port: parsed.port } };
  };
  // As text, a list of one is its element.
  const parse = (value: unknown) => Array.isArray(value) ? error : parseText(String(value));
  return { accepted: "host:port", parse, parseText, format: endpointText };
}

/** Addresses to connect to: a YAML list, or text with commas between them. */
export function remoteAddresses(): ValueType<readonly Endpoint[]> {
  const { parse, format } = remoteAddress();
  const accepted = "a list of host:port, or host:port,host:port as text";
  const parseAll = (values: readonly unknown[]): Parsed<readonly Endpoint[]> => {
    const results = values.map((value) => parse(typeof value === "string" ? value.trim() : value));
    const addresses = results.flatMap((parsed) => "value" in parsed ? [parsed.value] : []);
    return addresses.length === 0 || addresses.length < results.length
      ? { wrong: "is not a list of addresses", accepted }
      : { value: addresses };
  };
  const parseText = (text: string) => parseAll(text.split(","));
  return {
    accepted: "list of host:port",
    parseText,
    parse: (value) => Array.isArray(value) ? parseAll(value) : parseText(String(value)),
    format: (addresses) => addresses.map(format).join(","),
  };
}

function inRange(value: number, { min, max }: Range, accepted: string): Parsed<number> {
  return value >= min && value <= max ? { value } : { wrong: "is out of range", accepted };
}
