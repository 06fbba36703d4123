/** The table beside the table of secrets where changes wait that Redis could not be told of; see {@link Outbox}. */
import { type MysqlTable, quoteName } from "./table.ts";

const SUFFIX = "_outbox";

/** The name of the outbox of a table of secrets. */
export function outboxOf(table: string): string {
  return table + SUFFIX;
}

/** The statement that creates an outbox under its own name. `createdAt` is for the operator who wonders. */
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

/** Why a table of that name cannot be the outbox, or undefined when it can. */
export function outboxProblem(table: MysqlTable): string | undefined {
  const missing = ["id", "secretID", "rowID", "revision"].filter((name) => !table.columns.has(name));
  if (missing.length > 0) return `it has no column ${missing.join(", ")}, so it is no outbox; rename it`;
  if (table.columns.get("id")?.isAutoIncrement !== true) return "its column id is no AUTO_INCREMENT";
  // Another engine would keep the record of a change that was rolled back, or lose that of one that was not.
  return table.engine === "InnoDB" ? undefined : `its engine is ${table.engine}, expected InnoDB`;
}
