/**
 * Where MySQL is, in one text: a Go DSN or a URL.
 *
 *     user:password@tcp(host:3306)/database?loc=UTC     nothing but the database and the parameters decoded
 *     user:password@unix(/run/mysqld.sock)/database
 *     mysql://user:password@host:3306/database?loc=UTC  all parts percent-decoded
 */
import { parseEndpoint } from "../core/endpoint.ts";
import type { MysqlConfig } from "./config.ts";
import type { Fault } from "./config_error.ts";
import { type MysqlParameters, parseParameters } from "./mysql_parameters.ts";
import { MASK } from "./shown_value.ts";

/** A source, taken apart. */
export interface MysqlSource extends MysqlParameters {
  readonly user: string;
  readonly password: string;
  readonly address: MysqlConfig["address"];
  readonly database: string;
}

/** What came of reading a source. */
export interface SourceReading {
  /** Undefined when there are faults. */
  readonly source: MysqlSource | undefined;
  /** The source as it may be shown: without its password, or all masked where that cannot be told apart. */
  readonly masked: string;
  readonly faults: readonly Fault[];
}

/** The parts of a source as text; the address undefined when it is not one. */
interface Parts {
  readonly user: string;
  readonly password: string;
  readonly address: MysqlConfig["address"] | undefined;
  readonly database: string;
  readonly query: string;
  readonly masked: string;
}

const DEFAULT_PORT = 3306;
const URL_SCHEME = "mysql://";

const MALFORMED: Fault = {
  wrong: "is not a MySQL source",
  accepted: "user:password@tcp(host:port)/database?loc=UTC, user:password@unix(/path)/database or " +
    "mysql://user:password@host:port/database, with / and @ behind the database percent-encoded",
};

/** Reads a source. Nothing that it returns beside the source itself holds the password. */
export function parseMysqlSource(text: string): SourceReading {
  const parts = text.startsWith(URL_SCHEME) ? splitUrl(text) : splitDsn(text);
  if (parts === undefined) return { source: undefined, masked: MASK, faults: [MALFORMED] };
  const { user, password, address, database, query, masked } = parts;
  const { parameters, faults: parameterFaults } = parseParameters(query);
  const faults = [...parameterFaults];
  if (address === undefined) {
    faults.unshift({
      wrong: "has no legal address",
      accepted: "tcp(host:port) or unix(/path), or in a URL host:port",
    });
  }
  if (database === "") faults.unshift({ wrong: "names no database", accepted: "its name behind the last /" });
  if (address === undefined || faults.length > 0) return { source: undefined, masked, faults };
  return { source: { user, password, address, database, ...parameters }, masked, faults };
}

/**
 * The rules of go-sql-driver/mysql's ParseDSN: the last `/` starts the database, the last `@` before it ends
 * the password, so the password may hold both. Stricter in one point: an `@` behind that `/` is refused,
 * since it means that the `/` was the password's and the database is missing.
 */
function splitDsn(text: string): Parts | undefined {
  const slash = text.lastIndexOf("/");
  const tail = text.slice(slash + 1);
  if (slash === -1 || tail.includes("@")) return undefined;
  const at = text.lastIndexOf("@", slash);
  const where = text.slice(at + 1, slash);
  const network = /^(tcp|unix)?(?:\((.*)\))?$/s.exec(where);
  // Anything else is not shown: it may be the password of a source whose last "@" was forgotten.
  if (network === null) return undefined;
  const [, name = "", query = ""] = /^([^?]*)(?:\?(.*))?$/s.exec(tail) ?? [];
  const database = percentDecoded(name);
  if (database === undefined) return undefined;
  return {
    ...credentials(at === -1 ? "" : text.slice(0, at)),
    address: network[1] === "unix" ? unixAddress(network[2]) : tcpAddress(network[2]),
    database,
    query,
    masked: maskedUser(at === -1 ? "" : text.slice(0, at)) + text.slice(at + 1),
  };
}

function splitUrl(text: string): Parts | undefined {
  const [, userInfo = "", rest, where = "", name = "", query = ""] =
    /^mysql:\/\/(?:([^@/?#]*)@)?(([^@/?#]*)(?:\/([^@/?#]*))?(?:\?([^@#]*))?)$/.exec(text) ?? [];
  if (rest === undefined) return undefined;
  const { user, password } = credentials(userInfo);
  const [decodedUser, decodedPassword, database] = [user, password, name].map(percentDecoded);
  if (decodedUser === undefined || decodedPassword === undefined || database === undefined) return undefined;
  return {
    user: decodedUser,
    password: decodedPassword,
    address: where === "" ? undefined : tcpAddress(where),
    database,
    query,
    masked: URL_SCHEME + maskedUser(userInfo) + rest,
  };
}

/** The first `:` ends the user; the password may hold more of them. */
function credentials(userInfo: string): { user: string; password: string } {
  const colon = userInfo.indexOf(":");
  return colon === -1
    ? { user: userInfo, password: "" }
    : { user: userInfo.slice(0, colon), password: userInfo.slice(colon + 1) };
}

/**
 * What stands before the address, masked. A name is shown if it looks like one and a password follows it;
 * otherwise a `:` may be missing, and it is the password, or begins with it.
 */
function maskedUser(userInfo: string): string {
  if (userInfo === "") return "";
  const [, name] = /^([\w.-]{1,32}):/.exec(userInfo) ?? [];
  return name === undefined ? `${MASK}@` : `${name}:${MASK}@`;
}

/** ParseDSN's defaults: this machine and MySQL's port, for each that is absent. */
function tcpAddress(place: string | undefined): MysqlConfig["address"] | undefined {
  const parsed = parseEndpoint(place ?? "", DEFAULT_PORT);
  if (parsed === undefined || parsed.port === 0) return undefined;
  return { kind: "tcp", hostname: parsed.hostname || "127.0.0.1", port: parsed.port };
}

function unixAddress(path = "/tmp/mysql.sock"): MysqlConfig["address"] | undefined {
  return path.startsWith("/") ? { kind: "unix", path } : undefined;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
