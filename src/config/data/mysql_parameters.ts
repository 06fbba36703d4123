/** The parameters after the `?` of a MySQL source, as go-sql-driver/mysql documents them. */
import type { ParseError } from "../config_error.ts";
import { duration } from "../value_type.ts";
import { shownValue } from "../shown_value.ts";

/** `skip-verify` encrypts without checking the certificate. */
export type TlsMode = "off" | "on" | "skip-verify" | "preferred";

/** The parameters of a source; a time-out that it does not have is undefined. */
export interface MysqlParameters {
  /** The time zone of the table's DATETIME columns: `UTC`, `Local` (this machine's) or an IANA name. */
  readonly location: string;
  readonly charset: string;
  readonly tls: TlsMode;
  readonly timeoutMs: number | undefined;
  readonly readTimeoutMs: number | undefined;
  readonly writeTimeoutMs: number | undefined;
}

type Draft = { -readonly [P in keyof MysqlParameters]: MysqlParameters[P] };

/** Adds one parameter to the draft; returns what is accepted if the value is not. */
type ParameterParser = (value: string, draft: Draft) => string | undefined;

/** The spellings that the driver's readBool accepts. */
const BOOLEAN = /^(?:1|true|TRUE|True|0|false|FALSE|False)$/;

const TLS_MODES: ReadonlyMap<string, TlsMode> = new Map([
  ["1", "on"],
  ["true", "on"],
  ["0", "off"],
  ["false", "off"],
  ["skip-verify", "skip-verify"],
  ["preferred", "preferred"],
]);

const PARSERS: ReadonlyMap<string, ParameterParser> = new Map<string, ParameterParser>([
  // No effect: times are always read as times.
  ["parseTime", (value) => BOOLEAN.test(value) ? undefined : "True or False"],
  ["loc", (value, draft) => {
    if (!isLocation(value)) return "UTC, Local or an IANA name with its / as %2F, such as Asia%2FShanghai";
    draft.location = value;
    return undefined;
  }],
  ["charset", (value, draft) => {
    const charsets = value.split(",");
    if (!charsets.every((charset) => charset === "utf8mb4" || charset === "utf8")) return "utf8mb4 or utf8";
    draft.charset = charsets[0]!;
    return undefined;
  }],
  ["tls", (value, draft) => {
    const mode = TLS_MODES.get(value.toLowerCase());
    if (mode === undefined) return "true, false, skip-verify or preferred";
    draft.tls = mode;
    return undefined;
  }],
  ["timeout", timeout("timeoutMs")],
  ["readTimeout", timeout("readTimeoutMs")],
  ["writeTimeout", timeout("writeTimeoutMs")],
]);

function timeout(field: "timeoutMs" | "readTimeoutMs" | "writeTimeoutMs"): ParameterParser {
  return (value, draft) => {
    const parsed = duration().parseText(value);
    if (!("value" in parsed)) return parsed.accepted;
    draft[field] = parsed.value;
    return undefined;
  };
}

/** Parses `name=value&name=value`, each value percent-encoded. Every error is reported, not only the first. */
export function parseParameters(
  query: string,
): { parameters: MysqlParameters; errors: readonly ParseError[] } {
  const parameters: Draft = {
    location: "UTC",
    charset: "utf8mb4",
    tls: "off",
    timeoutMs: undefined,
    readTimeoutMs: undefined,
    writeTimeoutMs: undefined,
  };
  const errors: ParseError[] = [];
  for (const [name, value] of new URLSearchParams(query)) {
    const parse = PARSERS.get(name);
    if (parse === undefined) {
      const wrong = `has the unknown parameter ${shownValue(name)}`;
      errors.push({ wrong, accepted: `only ${[...PARSERS.keys()].join(", ")}` });
      continue;
    }
    const accepted = parse(value, parameters);
    if (accepted !== undefined) errors.push({ wrong: `has ${name}=${shownValue(value)}`, accepted });
  }
  return { parameters, errors };
}

function isLocation(name: string): boolean {
  if (name === "Local") return true;
  // Offsets such as +08:00 are time zones to Intl, but not to Go.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
