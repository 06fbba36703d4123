import type { MysqlSession } from "./session.ts";

export interface MysqlColumn {
  readonly name: string;
  /** The type without its length: `varchar`. */
  readonly dataType: string;
  /** The type as it is declared: `varchar(36)`. */
  readonly columnType: string;
  /** The most characters of a text; undefined for other types. */
  readonly maxCharacters: number | undefined;
  readonly charset: string | undefined;
  readonly collation: string | undefined;
  readonly isNullable: boolean;
  /** Whether an INSERT must give a value: there is no default. */
  readonly isRequired: boolean;
  readonly isAutoIncrement: boolean;
  /** The rest of the definition after type and collation: `NOT NULL DEFAULT '' COMMENT 'owner'`. */
  readonly attributes: string;
}

/** A table as the server describes it. */
export interface MysqlTable {
  readonly name: string;
  /** `BASE TABLE`, or `VIEW` and the like. */
  readonly kind: string;
  readonly engine: string;
  readonly columns: ReadonlyMap<string, MysqlColumn>;
  /** The columns of each unique key, `PRIMARY` included; `<column> prefix` where only a prefix is unique. */
  readonly uniqueKeys: ReadonlyMap<string, readonly string[]>;
}

const TABLE = `
  SELECT TABLE_TYPE AS kind, ENGINE AS engine FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`;

const COLUMNS = `
  SELECT COLUMN_NAME AS name, DATA_TYPE AS dataType, COLUMN_TYPE AS columnType,
    CHARACTER_MAXIMUM_LENGTH AS maxCharacters, CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation,
    IS_NULLABLE = 'YES' AS isNullable,
    IS_NULLABLE = 'NO' AND COLUMN_DEFAULT IS NULL AND EXTRA NOT LIKE '%auto_increment%'
      AND COALESCE(GENERATION_EXPRESSION, '') = '' AS isRequired,
    EXTRA LIKE '%auto_increment%' AS isAutoIncrement
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?
  ORDER BY ORDINAL_POSITION`;

const UNIQUE_KEYS = `
  SELECT INDEX_NAME AS name, COLUMN_NAME AS columnName, SUB_PART IS NOT NULL AS isPrefix
  FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND NON_UNIQUE = 0
  ORDER BY INDEX_NAME, SEQ_IN_INDEX`;

interface ColumnRow {
  readonly name: string;
  readonly dataType: string;
  readonly columnType: string;
  readonly maxCharacters: string | null;
  readonly charset: string | null;
  readonly collation: string | null;
  readonly isNullable: number;
  readonly isRequired: number;
  readonly isAutoIncrement: number;
}

interface KeyRow {
  readonly name: string;
  readonly columnName: string | null;
  readonly isPrefix: number;
}

/** The table in the session's database, or undefined if there is none. */
export async function readTable(session: MysqlSession, name: string): Promise<MysqlTable | undefined> {
  const [found] = await session.rows<{ readonly kind: string; readonly engine: string | null }>(TABLE, [
    name,
  ]);
  if (found === undefined) return undefined;
  const columns = await session.rows<ColumnRow>(COLUMNS, [name]);
  const definition = found.kind === "BASE TABLE" ? await readDefinition(session, name) : "";
  const uniqueKeys = new Map<string, string[]>();
  for (const { name: key, columnName, isPrefix } of await session.rows<KeyRow>(UNIQUE_KEYS, [name])) {
    const columnsOfKey = uniqueKeys.get(key) ?? [];
    uniqueKeys.set(key, columnsOfKey);
    columnsOfKey.push(Number(isPrefix) === 1 ? `${columnName} prefix` : columnName ?? "expression");
  }
  return {
    name,
    kind: found.kind,
    engine: found.engine ?? "none",
    columns: new Map(columns.map((row) => [row.name, columnOf(row, definition)])),
    uniqueKeys,
  };
}

function columnOf(row: ColumnRow, definition: string): MysqlColumn {
  return {
    name: row.name,
    dataType: row.dataType.toLowerCase(),
    columnType: row.columnType,
    maxCharacters: row.maxCharacters === null ? undefined : Number(row.maxCharacters),
    charset: row.charset ?? undefined,
    collation: row.collation ?? undefined,
    isNullable: Number(row.isNullable) === 1,
    isRequired: Number(row.isRequired) === 1,
    isAutoIncrement: Number(row.isAutoIncrement) === 1,
    attributes: attributesOf(row.name, definition),
  };
}

async function readDefinition(session: MysqlSession, name: string): Promise<string> {
  const [row] = await session.rows<Record<string, string>>(`SHOW CREATE TABLE ${quoteName(name)}`);
  return row?.["Create Table"] ?? "";
}

/**
 * The rest of a column's line in SHOW CREATE TABLE. Servers differ in how information_schema describes defaults, but each
 * accepts its own words from here.
 */
export function attributesOf(column: string, definition: string): string {
  const start = `  ${quoteName(column)} `;
  const line = definition.split("\n").find((each) => each.startsWith(start)) ?? "";
  const words = /^[a-z]+(?:\([^)]*\))?(?: CHARACTER SET \w+)?(?: COLLATE \w+)?(.*?),?$/.exec(
    line.slice(start.length),
  );
  return words?.[1]?.trim() ?? "";
}

/** A name quoted for a statement. */
export function quoteName(name: string): string {
  return "`" + name.replaceAll("`", "``") + "`";
}
