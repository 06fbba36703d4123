/** The table of changes that could not be announced to Redis, beside the table of secrets; see {@link Outbox}. */
import { type MysqlTable, quoteName } from "./table.ts";

const SUFFIX = "_outbox";

/** The name of the outbox of a table of secrets. */
export function outboxOf(table: string): string {
  return table + SUFFIX;
}

/** The statement that creates an outbox. Only operators read `createdAt`. */
export function createOutbox(name: string, collation: string): string {
  return `CREATE TABLE ${quoteName(name)} (
  \`id\` bigint unsigned NOT NULL AUTO_INCREMENT,
  \`secretID\` varchar(253) CHARACTER SET utf8mb4 COLLATE ${collation} NOT NULL,
  \`rowID\` bigint unsigned NOT NULL,
  \`revision\` bigint unsigned NOT NULL,
  \`createdAt\` datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (\`id\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;
}

/** Why the table cannot be the outbox, or undefined if it can. */
export function outboxProblem(table: MysqlTable): string | undefined {
  const missing = ["id", "secretID", "rowID", "revision"].filter((name) => !table.columns.has(name));
  if (missing.length > 0) return `it has no column ${missing.join(", ")}, so it is no outbox; rename it`;
  if (table.columns.get("id")?.isAutoIncrement !== true) return "its column id is no AUTO_INCREMENT";
  // Another engine could keep the record of a rolled-back change, or lose that of a committed one.
  return table.engine === "InnoDB" ? undefined : `its engine is ${table.engine}, expected InnoDB`;
}
