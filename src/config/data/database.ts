/** The section `data.database`: MySQL, or SQLite's file. */
import { resolve } from "node:path";
import { endpointText } from "../../core/endpoint.ts";
import type { ParseError, Problem } from "../config_error.ts";
import { formatted, key, optionalKey, secret } from "../key.ts";
import {
  isConfigured,
  missing,
  type Setting,
  type SettingsOf,
  type ValuesOf,
  valuesOf,
  whereFrom,
} from "../settings.ts";
import { MASK } from "../shown_value.ts";
import { formatSize, GiB, MiB } from "../size.ts";
import { anyText, duration, integer, oneOf, sizeOrUnlimited, text } from "../value_type.ts";
import { type MysqlSource, type MysqlTarget, parseMysqlSource } from "./mysql_source.ts";
import { breakerKeys, MAX_STORE_TIMEOUT_MS } from "./store_keys.ts";

/** Legal between backquotes in MySQL and MariaDB, whose names have at most 64 characters: `_outbox` is added. */
const identifier = text(
  "a letter or _, then at most 56 letters, digits, _ or $",
  /^[A-Za-z_][A-Za-z0-9_$]{0,56}$/,
);

export const DATABASE_KEYS = {
  driver: optionalKey(
    "data.database.driver",
    oneOf("mysql", "sqlite"),
    "The database; mysql also for MariaDB.",
  ),
  source: secret(optionalKey(
    "data.database.source",
    anyText,
    "mysql: a Go DSN, user:password@tcp(host:port)/database?loc=UTC, or a mysql:// URL. sqlite: the file.",
  )),
  table: key(
    "data.database.table",
    identifier,
    "usercenter_secret",
    "MySQL's table of secrets. The same name with `_outbox` is the table of changes that Redis has yet to receive.",
  ),
  connectTimeoutMs: key(
    "data.database.connect_timeout",
    duration(),
    2000,
    "The longest a connection to MySQL may take to open. If not set: the source's timeout.",
  ),
  queryTimeoutMs: key(
    "data.database.query_timeout",
    duration(MAX_STORE_TIMEOUT_MS),
    500,
    "The longest an operation on MySQL may take. If not set: the larger of the source's readTimeout and writeTimeout, up to 10s.",
  ),
  maxConnections: key(
    "data.database.max_connections",
    integer({ min: 1, max: 10_000 }),
    10,
    "The most connections to MySQL at once.",
  ),
  maxBytes: key(
    "data.database.max_bytes",
    sizeOrUnlimited({ min: 8 * MiB, max: 1024 * GiB }),
    Infinity,
    "The largest size of SQLite's file. Above it, expired entries are removed, then those written longest ago, never secrets. 0: no limit.",
  ),
  breaker: breakerKeys("data.database", "MySQL"),
};

type DatabaseSettings = SettingsOf<typeof DATABASE_KEYS>;
type DatabaseValues = ValuesOf<typeof DATABASE_KEYS>;

export interface MysqlConfig extends MysqlTarget, Omit<DatabaseValues, "driver" | "source" | "maxBytes"> {
  readonly driver: "mysql";
}

export interface SqliteConfig extends Pick<DatabaseValues, "maxBytes"> {
  readonly driver: "sqlite";
  /** The database file; `:memory:` keeps nothing. */
  readonly path: string;
}

/** The section put together. */
export interface Database {
  /** The settings with what follows from the source. */
  readonly settings: DatabaseSettings;
  /** Undefined where the driver or the source is missing or has a problem. */
  readonly config: MysqlConfig | SqliteConfig | undefined;
  readonly problems: readonly Problem[];
}

/** Puts the section together; `maxValueBytes` is the largest value that the file must have room for. */
export function assembleDatabase(given: DatabaseSettings, maxValueBytes: number): Database {
  const source = parseSource(given);
  const settings = withSource(given, source);
  return {
    settings,
    config: configOf(settings, source),
    problems: [...sourceProblems(settings, source?.errors ?? []), ...fileProblems(settings, maxValueBytes)],
  };
}

/** A parsed source: MySQL's or SQLite's; neither where there are errors. */
interface ParsedSource {
  readonly mysql?: MysqlSource | undefined;
  readonly path?: string;
  /** The text as it may be shown. */
  readonly masked: string;
  /** Without the password. */
  readonly errors: readonly ParseError[];
}

/** Parses the source by the rules of its driver; undefined where the driver or the source is missing. */
function parseSource({ driver, source: { value: source } }: DatabaseSettings): ParsedSource | undefined {
  if (driver.value === undefined || source === undefined) return undefined;
  if (driver.value === "mysql") return parseMysqlSource(source);
  // With `:` or `@` it may be MySQL's source, or the part of one before its `/`, and hold a password.
  if (source === "" || source.endsWith("/") || /[:@]/.test(source) && source !== IN_MEMORY) {
    return { masked: MASK, errors: [NOT_A_FILE] };
  }
  return { path: source, masked: source, errors: [] };
}

/** SQLite's name for a database without a file. */
const IN_MEMORY = ":memory:";

const NOT_A_FILE: ParseError = {
  wrong: "is not a file",
  accepted: "with driver sqlite a path without : and @, such as data/cacheserver.db",
};

/** A time-out that is not set is the source's, if that has one. */
function withSource(settings: DatabaseSettings, source: ParsedSource | undefined): DatabaseSettings {
  const { timeoutMs, readTimeoutMs, writeTimeoutMs } = source?.mysql ?? {};
  const operationMs = [readTimeoutMs, writeTimeoutMs].filter((ms) => ms !== undefined);
  const queryMs = operationMs.length === 0
    ? undefined
    : Math.min(Math.max(...operationMs), MAX_STORE_TIMEOUT_MS);
  return {
    ...settings,
    source: { ...settings.source, shown: source?.masked ?? "" },
    connectTimeoutMs: unlessSet(settings.connectTimeoutMs, timeoutMs),
    queryTimeoutMs: unlessSet(settings.queryTimeoutMs, queryMs),
  };
}

function unlessSet(setting: Setting<number>, fromSource: number | undefined): Setting<number> {
  if (fromSource === undefined || setting.origin !== "default") return setting;
  return { ...setting, value: fromSource, origin: DATABASE_KEYS.source.path };
}

function configOf(
  settings: DatabaseSettings,
  source: ParsedSource | undefined,
): MysqlConfig | SqliteConfig | undefined {
  const { driver: _driver, source: _source, maxBytes, ...mysqlValues } = valuesOf<typeof DATABASE_KEYS>(
    settings,
  );
  if (source?.path !== undefined) return { driver: "sqlite", path: source.path, maxBytes };
  if (source?.mysql === undefined) return undefined;
  const { address, user, password, database, location, charset, tls } = source.mysql;
  return {
    ...mysqlValues,
    driver: "mysql",
    address,
    user,
    password,
    database,
    location,
    charset,
    tls,
  };
}

/** One problem for both keys: it is often the first that a new user meets. */
const NO_DATABASE: Problem = {
  path: "data.database",
  wrong: "is missing",
  accepted:
    "driver mysql and a source; or, without any server, driver sqlite and the source data/cacheserver.db, " +
    "as in the embedded profile, which runs where no configuration is named",
};

function sourceProblems(settings: DatabaseSettings, errors: readonly ParseError[]): Problem[] {
  const { driver, source } = settings;
  if (!isConfigured(settings)) return [NO_DATABASE];
  const problem = { path: source.key.path, ...whereFrom(source), value: source.shown ?? MASK };
  return [
    ...missing(driver, "mysql or sqlite"),
    ...missing(source, "a Go DSN or mysql:// URL for mysql, a file for sqlite"),
    ...errors.map((error) => ({ ...problem, ...error })),
  ];
}

/** How many of the largest values a limited file has room for at least: one is removed while another is added. */
const LEAST_VALUES = 4;

function fileProblems({ driver, maxBytes }: DatabaseSettings, maxValueBytes: number): Problem[] {
  const leastBytes = LEAST_VALUES * maxValueBytes;
  if (driver.value !== "sqlite" || maxBytes.value >= leastBytes) return [];
  return [{
    path: maxBytes.key.path,
    value: formatted(maxBytes.key, maxBytes.value),
    wrong: "is too small for the values that go there",
    accepted: `at least ${formatSize(leastBytes)}, which is ${LEAST_VALUES} times cache.max_value_bytes`,
  }];
}

/**
 * Where the database is, as logs and errors show it, without a password: `127.0.0.1:3306/cacheserver`,
 * `/run/mysqld.sock/cacheserver`, or the absolute path of SQLite's file.
 */
export function databaseAddress(config: MysqlConfig | SqliteConfig): string {
  if (config.driver === "sqlite") return config.path === IN_MEMORY ? config.path : resolve(config.path);
  const { address, database } = config;
  return `${address.kind === "tcp" ? endpointText(address) : address.path}/${database}`;
}
