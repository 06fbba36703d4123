/** The table of secrets: a superset of onex's table, so that a filled one can be adopted. */
import { type MysqlColumn, type MysqlTable, quoteName } from "./table.ts";

/**
 * The collations under which any two different texts differ, the preferred one first; each server supports one. Plain
 * `utf8mb4_bin` pads with spaces, so "a" and "a " would be one key.
 */
export const EXACT_COLLATIONS = ["utf8mb4_nopad_bin", "utf8mb4_0900_bin"];

const SECRET_ID = "secretID";

/** The columns of a new table, in order. */
function definitions(collation: string): Record<string, string> {
  return {
    id: "bigint unsigned NOT NULL AUTO_INCREMENT",
    userID: "varchar(253) NOT NULL DEFAULT ''",
    name: "varchar(253) NOT NULL DEFAULT ''",
    [SECRET_ID]: `varchar(253) CHARACTER SET utf8mb4 COLLATE ${collation} NOT NULL`,
    secretKey: "varchar(512) NOT NULL",
    status: "tinyint unsigned NOT NULL DEFAULT 1",
    expires: "bigint NOT NULL DEFAULT 0",
    description: "varchar(256) NOT NULL DEFAULT ''",
    createdAt: "datetime NOT NULL DEFAULT CURRENT_TIMESTAMP",
    updatedAt: "datetime NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
    version: "bigint unsigned NOT NULL DEFAULT 1",
  };
}

/** A table without these columns holds something else. */
const ESSENTIAL = ["id", SECRET_ID, "secretKey"];

/** The text columns and the characters that each must hold. */
const WRITTEN_CHARACTERS: Record<string, number> = {
  name: 253,
  [SECRET_ID]: 253,
  secretKey: 512,
  description: 256,
};

/** The statement that creates the table. */
export function createTable(name: string, collation: string): string {
  const lines = [
    ...Object.entries(definitions(collation)).map(([column, words]) => `${quoteName(column)} ${words}`),
    "PRIMARY KEY (`id`)",
    uniqueKey(name),
    `KEY ${quoteName(`idx.${name}.userID`)} (\`userID\`)`,
  ];
  return `CREATE TABLE ${quoteName(name)} (\n  ${
    lines.join(",\n  ")
  }\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;
}

function uniqueKey(table: string): string {
  return `UNIQUE KEY ${quoteName(`uniq.${table}.secretID`)} (\`${SECRET_ID}\`)`;
}

/** One part of an ALTER TABLE, and what it does in a plain sentence. */
export interface UpgradeStep {
  readonly clause: string;
  readonly sentence: string;
}

/** The steps that upgrade the table; none for an upgraded one. They narrow and drop nothing. */
export function upgradeSteps(table: MysqlTable, collation: string): UpgradeStep[] {
  const steps: UpgradeStep[] = [];
  if (table.engine !== "InnoDB") {
    steps.push({ clause: "ENGINE=InnoDB", sentence: `Changed the engine from ${table.engine} to InnoDB.` });
  }
  for (const [name, words] of Object.entries(definitions(collation))) {
    const column = table.columns.get(name);
    if (column === undefined) {
      steps.push({ clause: `ADD COLUMN ${quoteName(name)} ${words}`, sentence: `Added column ${name}.` });
    } else {
      const change = changeOf(column, collation);
      if (change !== undefined) steps.push(change);
    }
  }
  if (!hasUniqueSecretId(table)) {
    steps.push({ clause: `ADD ${uniqueKey(table.name)}`, sentence: `Added a unique key on ${SECRET_ID}.` });
  }
  return steps;
}

export function hasUniqueSecretId(table: MysqlTable): boolean {
  return [...table.uniqueKeys.values()].some((columns) => columns.join() === SECRET_ID);
}

function changeOf(column: MysqlColumn, collation: string): UpgradeStep | undefined {
  const characters = WRITTEN_CHARACTERS[column.name];
  if (characters === undefined) return undefined;
  const isWide = (column.maxCharacters ?? 0) >= characters;
  const isExact = column.name !== SECRET_ID || EXACT_COLLATIONS.includes(column.collation ?? "");
  if (isWide && isExact && column.charset === "utf8mb4") return undefined;

  const type = isWide ? column.columnType : `varchar(${characters})`;
  const kept = column.charset === "utf8mb4" ? column.collation : undefined;
  const wanted = isExact ? kept : collation;
  const words = ["CHARACTER SET utf8mb4", ...(wanted ? [`COLLATE ${wanted}`] : []), column.attributes];
  return {
    clause: `MODIFY COLUMN ${quoteName(column.name)} ${type} ${words.join(" ")}`.trimEnd(),
    sentence: `Changed column ${column.name} from ${column.columnType} ${column.collation} ` +
      `to ${type} ${wanted ?? "utf8mb4"}.`,
  };
}

/** Why the table can be neither used nor upgraded, one sentence each; empty if it can. */
export function upgradeProblems(table: MysqlTable): string[] {
  if (table.kind !== "BASE TABLE") return [`it is a ${table.kind}, expected a table`];
  const missing = ESSENTIAL.filter((name) => !table.columns.has(name));
  if (missing.length > 0) {
    return [`it has no column ${missing.join(", ")}, so it holds something else than secrets`];
  }

  const problems: string[] = [];
  if (table.columns.get("id")?.isAutoIncrement !== true || table.uniqueKeys.get("PRIMARY")?.join() !== "id") {
    problems.push("its column id is no AUTO_INCREMENT primary key, which versions rely on");
  }
  const { dataType, isNullable } = table.columns.get(SECRET_ID)!;
  if (dataType !== "varchar" && dataType !== "char") {
    problems.push(`its secretID is ${dataType}, expected varchar`);
  }
  // A change announced in a superseded epoch writes NULL as secretID, so that the server refuses it.
  if (isNullable) problems.push("its secretID may be NULL, expected NOT NULL");
  const version = table.columns.get("version");
  if (version !== undefined && version.dataType !== "bigint") {
    problems.push(`its column version is ${version.dataType}, expected bigint; rename that column`);
  }
  const known = definitions("");
  for (const column of table.columns.values()) {
    if (column.isRequired && !(column.name in known)) {
      problems.push(
        `its column ${column.name} has no default, so no secret can be added; give the column a default`,
      );
    }
  }
  for (const [key, columns] of table.uniqueKeys) {
    if (!columns.includes("id") && !columns.includes(SECRET_ID)) {
      problems.push(`its unique key ${key} would let one secret overwrite another; drop that key`);
    }
  }
  return problems;
}
