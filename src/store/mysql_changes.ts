import { ANY_EPOCH, type Epoch } from "../core/ports.ts";
import { inForce } from "./mysql_epoch_schema.ts";
import { isMissingSecretId } from "./mysql_errors.ts";
import { SECRET_COLUMNS, type SecretRow, selectSecrets } from "./mysql_reads.ts";
import type { MysqlSession, MysqlValue } from "./mysql_session.ts";

/** What a new row says, in the order of its columns; an existing row keeps secretKey and createdAt. */
export type NewRow = readonly [
  secretId: string,
  secretKey: string,
  name: string,
  description: string,
  expires: number,
  createdAt: string,
  updatedAt: string,
];

/** The names of the tables that take part, quoted. */
export interface ChangedTables {
  readonly secrets: string;
  readonly epochs: string;
}

/**
 * Changes one row, each time by one statement that is also its own transaction unless one is open. The server answers
 * once and flushes its log once.
 *
 * The statement compares the epoch under which the change was announced with the one in force, and keeps that in force
 * until it is committed; with ANY_EPOCH it compares nothing.
 */
export interface MysqlChanges {
  /** Resolves to the row as this statement made it, or as a later one did; undefined if the epoch is not in force. */
  write(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined>;
  /** Resolves to the id of the row that was there; undefined if none was, or the epoch is not in force. */
  remove(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined>;
}

/**
 * VALUES() is deprecated in MySQL 8, but its successor is unknown to MariaDB. An INSERT … SELECT would lock the numbers
 * of the table until its commit, so the epoch is asked for the key: without it there is none, which is an error.
 */
function upsert({ secrets }: ChangedTables, key: string): string {
  return `
    INSERT INTO ${secrets} (secretID, secretKey, name, description, expires, createdAt, updatedAt)
    VALUES (${key}, ?, ?, ?, ?, ?, ?)
    ON DUPLICATE KEY UPDATE name = VALUES(name), description = VALUES(description),
      expires = VALUES(expires), updatedAt = VALUES(updatedAt), version = version + 1`;
}

/** One statement for changes that compare nothing, and one that has the epoch after the key. */
interface Statements {
  readonly always: string;
  readonly ifInForce: string;
}

function upserts(tables: ChangedTables, returning: string): Statements {
  return {
    always: upsert(tables, "?") + returning,
    ifInForce: upsert(tables, `(SELECT ? ${inForce(tables.epochs)})`) + returning,
  };
}

function deletes({ secrets, epochs }: ChangedTables, rest: string): Statements {
  const always = `DELETE FROM ${secrets} WHERE secretID = ?`;
  return {
    always: always + rest,
    ifInForce: `${always} AND EXISTS (SELECT 1 ${inForce(epochs)})${rest}`,
  };
}

function statementFor(statements: Statements, epoch: Epoch): string {
  return epoch === ANY_EPOCH ? statements.always : statements.ifInForce;
}

function valuesFor([key, ...others]: readonly MysqlValue[], epoch: Epoch): MysqlValue[] {
  return epoch === ANY_EPOCH ? [key!, ...others] : [key!, epoch, ...others];
}

/** Resolves as `write` does, or to undefined where it has found the epoch not in force, and so no key. */
async function unlessOutOfForce<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (isMissingSecretId(error)) return undefined;
    throw error;
  }
}

/** For MariaDB, which gives back the rows that a statement has changed. */
export class ReturningChanges implements MysqlChanges {
  readonly #upserts: Statements;
  readonly #deletes: Statements;

  constructor(tables: ChangedTables) {
    this.#upserts = upserts(tables, ` RETURNING ${SECRET_COLUMNS}`);
    this.#deletes = deletes(tables, " RETURNING id");
  }

  async write(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined> {
    const sql = statementFor(this.#upserts, epoch);
    const written = await unlessOutOfForce(() => session.returning<SecretRow>(sql, valuesFor(row, epoch)));
    return written?.[0];
  }

  async remove(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined> {
    const sql = statementFor(this.#deletes, epoch);
    const [removed] = await session.returning<{ readonly id: string }>(sql, valuesFor([secretId], epoch));
    return removed?.id;
  }
}

/** For MySQL, which has to be asked once more what a statement has changed; that flushes nothing. */
export class RereadChanges implements MysqlChanges {
  readonly #upserts: Statements;
  readonly #read: string;
  readonly #deletes: Statements;

  constructor(tables: ChangedTables) {
    this.#upserts = upserts(tables, "");
    this.#read = selectSecrets(tables.secrets, 1);
    // The session remembers what LAST_INSERT_ID() was last given, also by a DELETE.
    this.#deletes = deletes(tables, " AND LAST_INSERT_ID(id)");
  }

  /** Another client may have removed the row before it is read: that removal came first, then, and this write again. */
  async write(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined> {
    const sql = statementFor(this.#upserts, epoch);
    while (await unlessOutOfForce(() => session.run(sql, valuesFor(row, epoch))) !== undefined) {
      const [written] = await session.rows<SecretRow>(this.#read, [row[0]]);
      if (written !== undefined) return written;
    }
    return undefined;
  }

  async remove(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined> {
    const sql = statementFor(this.#deletes, epoch);
    if (await session.run(sql, valuesFor([secretId], epoch)) === 0) return undefined;
    const [removed] = await session.rows<{ readonly id: string }>("SELECT LAST_INSERT_ID() AS id");
    return removed!.id;
  }
}
