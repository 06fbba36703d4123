/** The parameters behind the `?` of a MySQL source, as go-sql-driver/mysql documents them. */
import type { MysqlConfig } from "./config.ts";
import type { Fault } from "./config_error.ts";
import { duration } from "./kind.ts";
import { shownValue } from "./shown_value.ts";

/** What the parameters say; the time-outs are undefined where they say nothing. */
export interface MysqlParameters {
  readonly location: string;
  readonly charset: string;
  readonly tls: MysqlConfig["tls"];
  readonly timeoutMs: number | undefined;
  readonly readTimeoutMs: number | undefined;
  readonly writeTimeoutMs: number | undefined;
}

type Draft = { -readonly [P in keyof MysqlParameters]: MysqlParameters[P] };

/** Takes one parameter into the draft; returns what would have been accepted if the value is not. */
type Reader = (value: string, draft: Draft) => string | undefined;

/** The driver's readBool: the only spellings it takes. */
const BOOLEAN = /^(?:1|true|TRUE|True|0|false|FALSE|False)$/;

const TLS_MODES: ReadonlyMap<string, MysqlConfig["tls"]> = new Map([
  ["1", "on"],
  ["true", "on"],
  ["0", "off"],
  ["false", "off"],
  ["skip-verify", "skip-verify"],
  ["preferred", "preferred"],
]);

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  // Times are always read as times here, so either answer is right and neither changes anything.
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

function timeout(field: "timeoutMs" | "readTimeoutMs" | "writeTimeoutMs"): Reader {
  return (value, draft) => {
    const reading = duration().readText(value);
    if (!("value" in reading)) return reading.accepted;
    draft[field] = reading.value;
    return undefined;
  };
}

/** Reads `name=value&name=value`, each value percent-encoded. Every fault is reported, not only the first. */
export function parseParameters(query: string): { parameters: MysqlParameters; faults: readonly Fault[] } {
  const parameters: Draft = {
    location: "UTC",
    charset: "utf8mb4",
    tls: "off",
    timeoutMs: undefined,
    readTimeoutMs: undefined,
    writeTimeoutMs: undefined,
  };
  const faults: Fault[] = [];
  for (const [name, value] of new URLSearchParams(query)) {
    const read = READERS.get(name);
    if (read === undefined) {
      const wrong = `has the unknown parameter ${shownValue(name)}`;
      faults.push({ wrong, accepted: `only ${[...READERS.keys()].join(", ")}` });
      continue;
    }
    const accepted = read(value, parameters);
    if (accepted !== undefined) faults.push({ wrong: `has ${name}=${shownValue(value)}`, accepted });
  }
  return { parameters, faults };
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
