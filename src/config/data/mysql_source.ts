/**
 * MySQL's source: a Go DSN or a URL.
 *
 *     user:password@tcp(host:3306)/database?loc=UTC     only the database and the parameters percent-decoded
 *     user:password@unix(/run/mysqld.sock)/database
 *     mysql://user:password@host:3306/database?loc=UTC  all parts percent-decoded
 */
import { type Endpoint, parseEndpoint } from "../../core/endpoint.ts";
import type { ParseError } from "../config_error.ts";
import { type MysqlParameters, parseParameters } from "./mysql_parameters.ts";
import { MASK } from "../shown_value.ts";

/** `tcp` has hostname and port, `unix` the path of a socket. */
export type MysqlAddress =
  | Endpoint & { readonly kind: "tcp" }
  | { readonly kind: "unix"; readonly path: string };

/** A database, and how to connect to it. */
export interface MysqlTarget extends Pick<MysqlParameters, "location" | "charset" | "tls"> {
  readonly address: MysqlAddress;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A parsed source. */
export interface MysqlSource extends MysqlTarget, MysqlParameters {}

/** The result of parsing a source. */
export interface ParsedMysqlSource {
  /** Undefined when there are errors. */
  readonly mysql: MysqlSource | undefined;
  /** The source as it may be shown: without its password, or masked as a whole if the password cannot be found. */
  readonly masked: string;
  readonly errors: readonly ParseError[];
}

/** The parts of a source; the address is undefined when it is not legal. */
interface Parts {
  readonly user: string;
  readonly password: string;
  readonly address: MysqlAddress | undefined;
  readonly database: string;
  readonly query: string;
  readonly masked: string;
}

const DEFAULT_PORT = 3306;
const URL_SCHEME = "mysql://";

const MALFORMED: ParseError = {
  wrong: "is not a MySQL source",
  accepted: "user:password@tcp(host:port)/database?loc=UTC, user:password@unix(/path)/database or " +
    "mysql://user:password@host:port/database, with / and @ in the database and the parameters percent-encoded",
};

/** Parses a source. Of what it returns, only `mysql` holds the password. */
export function parseMysqlSource(text: string): ParsedMysqlSource {
  const parts = text.startsWith(URL_SCHEME) ? splitUrl(text) : splitDsn(text);
  if (parts === undefined) return { mysql: undefined, masked: MASK, errors: [MALFORMED] };
  const { user, password, address, database, query, masked } = parts;
  const { parameters, errors: parameterErrors } = parseParameters(query);
  const errors = [...parameterErrors];
  if (address === undefined) {
    errors.unshift({
      wrong: "has no legal address",
      accepted: "tcp(host:port) or unix(/path), or in a URL host:port",
    });
  }
  if (database === "") errors.unshift({ wrong: "names no database", accepted: "its name after the last /" });
  if (address === undefined || errors.length > 0) return { mysql: undefined, masked, errors };
  return { mysql: { user, password, address, database, ...parameters }, masked, errors };
}

/**
 * Follows go-sql-driver/mysql's ParseDSN: the last `/` starts the database, and the last `@` before it ends the
 * password, so the password may hold both. Stricter in one point: an `@` after that `/` is refused, since then the
 * `/` is part of the password and the database is missing.
 */
function splitDsn(text: string): Parts | undefined {
  const slash = text.lastIndexOf("/");
  const tail = text.slice(slash + 1);
  if (slash === -1 || tail.includes("@")) return undefined;
  const at = text.lastIndexOf("@", slash);
  const where = text.slice(at + 1, slash);
  const network = /^(tcp|unix)?(?:\((.*)\))?$/s.exec(where);
  // Nothing of the text is shown: it may be a password, if the last "@" is missing.
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
 * The part before the address, masked. A user is shown if it looks like a name and a password follows; otherwise a
 * `:` may be missing, and the text may be the password.
 */
function maskedUser(userInfo: string): string {
  if (userInfo === "") return "";
  const [, name] = /^([\w.-]{1,32}):/.exec(userInfo) ?? [];
  return name === undefined ? `${MASK}@` : `${name}:${MASK}@`;
}

/** ParseDSN's deerrors: this machine and MySQL's port, for each that is absent. */
function tcpAddress(place: string | undefined): MysqlAddress | undefined {
  const parsed = parseEndpoint(place ?? "", DEFAULT_PORT);
  if (parsed === undefined || parsed.port === 0) return undefined;
  return { kind: "tcp", hostname: parsed.hostname || "127.0.0.1", port: parsed.port };
}

function unixAddress(path = "/tmp/mysql.sock"): MysqlAddress | undefined {
  return path.startsWith("/") ? { kind: "unix", path } : undefined;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
