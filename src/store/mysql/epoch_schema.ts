/** The table beside the table of secrets with the epoch of Redis in force; see {@link MysqlEpochs}. */
import { type MysqlTable, quoteName } from "./table.ts";

const SUFFIX = "_epoch";

/** The row with the epoch in force. Each other row is an epoch that is or was in force. */
export const HEAD_ID = 1;

/** The name of the table of epochs beside a table of secrets. */
export function epochsOf(table: string): string {
  return table + SUFFIX;
}

/** The statement that creates a table of epochs. Only operators read `createdAt`. */
export function createEpochs(name: string): string {
  return `CREATE TABLE ${quoteName(name)} (
  \`id\` bigint unsigned NOT NULL AUTO_INCREMENT,
  \`epoch\` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  \`createdAt\` datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (\`id\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;
}

/** Why an existing table cannot be used, or undefined if it can. */
export function epochsProblem(table: MysqlTable): string | undefined {
  const missing = ["id", "epoch"].filter((name) => !table.columns.has(name));
  if (missing.length > 0) {
    return `it has no column ${missing.join(", ")}, so it holds something else; rename it`;
  }
  if (table.columns.get("id")?.isAutoIncrement !== true) return "its column id is not AUTO_INCREMENT";
  // Changes and a failover wait for each other by row locks, which other engines lack.
  return table.engine === "InnoDB" ? undefined : `its engine is ${table.engine}, expected InnoDB`;
}

/**
 * A condition that is true while the placeholder's epoch is in force, and keeps it in force until the transaction ends.
 * READ COMMITTED alone would lock nothing. `epochs` is quoted.
 */
export function inForce(epochs: string): string {
  return `FROM ${epochs} WHERE id = ${HEAD_ID} AND epoch = ? LOCK IN SHARE MODE`;
}
