/** Reads `data.database.source`, whose meaning depends on the driver. */
import type { Fault } from "./config_error.ts";
import { type MysqlSource, parseMysqlSource } from "./mysql_source.ts";
import { MASK } from "./shown_value.ts";

/** What the source turned out to be. */
export type DatabaseSource =
  | { readonly driver: "mysql"; readonly mysql: MysqlSource }
  | { readonly driver: "sqlite"; readonly path: string };

/** What came of reading a source. */
export interface DatabaseSourceReading {
  /** Undefined when there are faults. */
  readonly source: DatabaseSource | undefined;
  /** The text as it may be shown. */
  readonly masked: string;
  readonly faults: readonly Fault[];
}

/** SQLite's name for a database without a file. */
const IN_MEMORY = ":memory:";

/** Reads the source by the rules of its driver; `masked` and `faults` hold no password. */
export function readDatabaseSource(driver: "mysql" | "sqlite", text: string): DatabaseSourceReading {
  if (driver === "mysql") {
    const { source, masked, faults } = parseMysqlSource(text);
    return { source: source && { driver, mysql: source }, masked, faults };
  }
  // A server's source under the wrong driver is no file, and holds a password, perhaps cut short.
  if (text === "" || text.endsWith("/") || /[:@]/.test(text) && text !== IN_MEMORY) {
    const fault = {
      wrong: "is not a file",
      accepted: "with driver sqlite a path without : and @, such as data/cacheserver.db",
    };
    return { source: undefined, masked: MASK, faults: [fault] };
  }
  return { source: { driver, path: text }, masked: text, faults: [] };
}
