import { assertEquals } from "@std/assert";
import { upgradeProblems, upgradeSteps } from "../../../../src/store/mysql/schema.ts";
import {
  attributesOf,
  type MysqlColumn,
  type MysqlTable,
  quoteName,
} from "../../../../src/store/mysql/table.ts";

const MARIADB_TABLE = [
  "CREATE TABLE `t` (",
  "  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT COMMENT 'the `name` of it',",
  "  `secretID` varchar(36) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT '' COMMENT 'a, b',",
  "  `name` varchar(253) DEFAULT NULL",
  ") ENGINE=InnoDB",
].join("\n");

const MYSQL_TABLE = [
  "CREATE TABLE `t` (",
  "  `secretID` varchar(36) COLLATE utf8mb4_bin NOT NULL,",
  "  `name` varchar(36) CHARACTER SET utf8mb3 NOT NULL DEFAULT _utf8mb4'x)',",
  ") ENGINE=InnoDB",
].join("\n");

Deno.test("attributesOf() returns what follows a column's type and collation", () => {
  assertEquals(attributesOf("secretID", MARIADB_TABLE), "NOT NULL DEFAULT '' COMMENT 'a, b'");
  assertEquals(attributesOf("name", MARIADB_TABLE), "DEFAULT NULL");
  assertEquals(attributesOf("secretID", MYSQL_TABLE), "NOT NULL");
  assertEquals(attributesOf("name", MYSQL_TABLE), "NOT NULL DEFAULT _utf8mb4'x)'");
});

Deno.test("attributesOf() returns an empty text for a missing column", () => {
  assertEquals(attributesOf("missing", MARIADB_TABLE), "");
});

Deno.test("quoteName() doubles the quotes in a name", () => {
  assertEquals(quoteName("a`; DROP TABLE b"), "`a``; DROP TABLE b`");
});

/** A table of onex on MySQL 8; `changes` has other attributes of columns by name. */
function onexTable(changes: Record<string, Partial<MysqlColumn>> = {}): MysqlTable {
  const text = (name: string, characters: number) =>
    column(name, {
      dataType: "varchar",
      columnType: `varchar(${characters})`,
      maxCharacters: characters,
      charset: "utf8mb4",
      collation: "utf8mb4_0900_ai_ci",
      attributes: "NOT NULL DEFAULT ''",
    });
  const columns = [
    column("id", { dataType: "bigint", columnType: "bigint unsigned", isAutoIncrement: true }),
    text("userID", 253),
    text("name", 253),
    text("secretID", 36),
    text("secretKey", 36),
    column("status", { dataType: "tinyint" }),
    column("expires", { dataType: "bigint" }),
    text("description", 255),
    column("createdAt", { dataType: "datetime" }),
    column("updatedAt", { dataType: "datetime" }),
  ].map((each) => [each.name, { ...each, ...changes[each.name] }] as const);
  return {
    name: "t",
    kind: "BASE TABLE",
    engine: "InnoDB",
    columns: new Map(columns),
    uniqueKeys: new Map([["PRIMARY", ["id"]], ["uniq", ["secretID"]]]),
  };
}

function column(name: string, facts: Partial<MysqlColumn>): MysqlColumn {
  return {
    name,
    dataType: "int",
    columnType: "int",
    maxCharacters: undefined,
    charset: undefined,
    collation: undefined,
    isNullable: false,
    isRequired: false,
    isAutoIncrement: false,
    attributes: "",
    ...facts,
  };
}

Deno.test("upgradeSteps() widens what is narrow and tells secretIDs apart exactly", () => {
  const table = onexTable({ description: { maxCharacters: 400, columnType: "varchar(400)" } });
  assertEquals(upgradeSteps(table, "utf8mb4_0900_bin").map((step) => step.clause), [
    "MODIFY COLUMN `secretID` varchar(253) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL DEFAULT ''",
    "MODIFY COLUMN `secretKey` varchar(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci NOT NULL DEFAULT ''",
    "ADD COLUMN `version` bigint unsigned NOT NULL DEFAULT 1",
  ]);
});

Deno.test("upgradeProblems() accepts a table of onex, and refuses keys that versions cannot rely on", () => {
  assertEquals(upgradeProblems(onexTable()), []);
  assertEquals(upgradeProblems(onexTable({ id: { isAutoIncrement: false } })), [
    "its column id is no AUTO_INCREMENT primary key, which versions rely on",
  ]);
  assertEquals(upgradeProblems(onexTable({ secretID: { dataType: "text" } })), [
    "its secretID is text, expected varchar",
  ]);
});
