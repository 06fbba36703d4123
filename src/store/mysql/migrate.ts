import { endpointText } from "../../core/endpoint.ts";
import type { Clock } from "../../core/clock.ts";
import { ServiceError } from "../../core/errors.ts";
import { createEpochs, epochsOf } from "./epochs.ts";
import { isMissingDatabase, reasonOf } from "./errors.ts";
import { MysqlPool, type MysqlPoolOptions } from "./pool.ts";
import { createOutbox, outboxOf } from "./outbox.ts";
import {
  createTable,
  EXACT_COLLATIONS,
  hasUniqueSecretId,
  upgradeProblems,
  type UpgradeStep,
  upgradeSteps,
} from "./schema.ts";
import type { MysqlSession } from "./session.ts";
import { type MysqlTable, quoteName, readTable } from "./table.ts";

/** ALTER TABLE copies the table, which takes long for a large one. */
const STATEMENT_TIMEOUT_MS = 3_600_000;
/** How long to wait for sessions that use the table, and for another migration. */
const LOCK_WAIT_SECONDS = 30;

/** The tables beside the table of secrets: name, statement that creates one, and required columns. */
const SIDE_TABLES = [
  {
    what: "outbox",
    nameBeside: outboxOf,
    create: createOutbox,
    columns: ["id", "secretID", "rowID", "revision"],
  },
  { what: "table of epochs", nameBeside: epochsOf, create: createEpochs, columns: ["id", "epoch"] },
];

/** The server, database and table; the configuration's section has this shape. */
export interface MysqlMigrateOptions extends MysqlPoolOptions {
  readonly table: string;
}

/**
 * Creates the database and its tables, or upgrades the table of secrets in place and keeps every row. Resolves to one
 * sentence for each change. Rejects with one line that names the fault and the fix.
 */
export async function migrateMysql(
  options: MysqlMigrateOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<string[]> {
  const ownSession = { ...options, database: "", maxConnections: 1, queryTimeoutMs: STATEMENT_TIMEOUT_MS };
  await using pool = new MysqlPool(ownSession, clock);
  try {
    return await pool.use((session) => migrate(session, options), signal);
  } catch (error) {
    if (error instanceof ServiceError && error.code === "internal") throw error;
    throw new ServiceError(
      "store_unavailable",
      `Cannot migrate database ${options.database} at ${addressOf(options)}: ${reasonOf(error)}; ` +
        "check that the server runs and that data.database.source names it and an account with the rights to migrate",
      { cause: error, tier: "database" },
    );
  }
}

/** A sentence that tells why the tables cannot be used, or undefined if they can. */
export async function checkMysqlSchema(
  pool: MysqlPool,
  table: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const fix = "run `cacheserver migrate`";
  try {
    return await pool.use(async (session) => {
      const found = await readTable(session, table);
      if (found === undefined) return `Table ${table} is missing: ${fix}`;
      const [problem] = upgradeProblems(found);
      if (problem !== undefined) return `Table ${table} cannot be used: ${problem}`;
      const steps = upgradeSteps(found, await exactCollation(session));
      if (steps.length > 0) return `Table ${table} is not upgraded: ${fix}`;
      for (const sideTable of SIDE_TABLES) {
        const name = sideTable.nameBeside(table);
        const side = await readTable(session, name);
        if (side === undefined) return `Table ${name} is missing: ${fix}`;
        const fault = sideTableProblem(side, sideTable);
        if (fault !== undefined) return `Table ${name} cannot be used: ${fault}`;
      }
      return undefined;
    }, signal);
  } catch (error) {
    if (isMissingDatabase(error)) return `The database with table ${table} is missing: ${fix}`;
    throw error;
  }
}

async function migrate(session: MysqlSession, { database, table }: MysqlMigrateOptions): Promise<string[]> {
  await session.command(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
  await lockOutOthers(session);
  const done: string[] = [];
  if (!await databaseExists(session, database)) {
    await session.command(`CREATE DATABASE ${quoteName(database)} CHARACTER SET utf8mb4`);
    done.push(`Created database ${database}.`);
  }
  await session.command(`USE ${quoteName(database)}`);
  const collation = await exactCollation(session);
  const found = await readTable(session, table);
  if (found === undefined) {
    await session.command(createTable(table, collation));
    done.push(`Created table ${table}.`);
  } else done.push(...await upgrade(session, found, upgradeSteps(found, collation)));
  for (const sideTable of SIDE_TABLES) {
    const name = sideTable.nameBeside(table);
    const side = await readTable(session, name);
    const problem = side && sideTableProblem(side, sideTable);
    if (problem !== undefined) throw unusable(`use table ${name}`, problem);
    if (side !== undefined) continue;
    await session.command(sideTable.create(name, collation));
    done.push(`Created table ${name}.`);
  }
  return done;
}

/** Why an existing table cannot be used, or undefined if it can. */
function sideTableProblem(
  { columns, engine }: MysqlTable,
  { what, columns: required }: typeof SIDE_TABLES[number],
): string | undefined {
  const missing = required.filter((name) => !columns.has(name));
  if (missing.length > 0) return `it has no column ${missing.join(", ")}, so it is no ${what}; rename it`;
  if (columns.get("id")?.isAutoIncrement !== true) return "its column id is not AUTO_INCREMENT";
  // Other engines lack row locks, by which changes and a failover wait for each other, and rollback of records.
  return engine === "InnoDB" ? undefined : `its engine is ${engine}, expected InnoDB`;
}

/** Runs all steps in one ALTER TABLE: the table is copied once and never half upgraded. */
async function upgrade(session: MysqlSession, table: MysqlTable, steps: UpgradeStep[]): Promise<string[]> {
  const problems = upgradeProblems(table);
  if (problems.length === 0 && !hasUniqueSecretId(table)) problems.push(...await duplicates(session, table));
  if (problems.length > 0) throw unusable(`upgrade table ${table.name}`, problems.join("; "));
  if (steps.length > 0) {
    const clauses = steps.map((step) => step.clause).join(", ");
    await session.command(`ALTER TABLE ${quoteName(table.name)} ${clauses}`);
  }
  return steps.map((step) => step.sentence);
}

/** A problem for each kind of duplicate secretID, compared byte by byte like the unique key. */
async function duplicates(session: MysqlSession, table: MysqlTable): Promise<string[]> {
  const rows = await session.rows(
    `SELECT 1 FROM ${quoteName(table.name)} WHERE secretID IS NOT NULL
     GROUP BY CAST(secretID AS BINARY) HAVING COUNT(*) > 1`,
  );
  if (rows.length === 0) return [];
  return [
    `it has no unique key on secretID, and ${rows.length} secretIDs occur more than once; remove the duplicate rows`,
  ];
}

async function lockOutOthers(session: MysqlSession): Promise<void> {
  const [row] = await session.rows<{ readonly locked: string | number | null }>(
    "SELECT GET_LOCK('cacheserver.migrate', ?) AS locked",
    [LOCK_WAIT_SECONDS],
  );
  if (Number(row?.locked) !== 1) {
    throw unusable("migrate", "another migration is running; try again when it has ended");
  }
}

async function databaseExists(session: MysqlSession, name: string): Promise<boolean> {
  const rows = await session.rows("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", [name]);
  return rows.length > 0;
}

async function exactCollation(session: MysqlSession): Promise<string> {
  const rows = await session.rows<{ readonly name: string }>(
    "SELECT COLLATION_NAME AS name FROM information_schema.COLLATIONS WHERE COLLATION_NAME IN (?, ?)",
    EXACT_COLLATIONS,
  );
  const known = EXACT_COLLATIONS.find((name) => rows.some((row) => row.name === name));
  if (known === undefined) {
    throw unusable(
      "use the database",
      "it is too old, expected MySQL 8.0.17 or MariaDB 10.11, or a later one",
    );
  }
  return known;
}

function unusable(what: string, why: string): ServiceError {
  return new ServiceError("internal", `Cannot ${what}: ${why}`, { tier: "database" });
}

function addressOf({ address }: MysqlPoolOptions): string {
  return address.kind === "tcp" ? endpointText(address) : address.path;
}
