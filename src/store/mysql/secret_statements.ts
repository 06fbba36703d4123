import { ANY_EPOCH, type Epoch } from "../../core/ports.ts";
import { inForce } from "./epochs.ts";
import { isMissingSecretId, isRowBusy } from "./errors.ts";
import { SECRET_COLUMNS, type SecretRow, selectSecrets } from "./reads.ts";
import { type MysqlSession, type MysqlValue, transaction, unlessDeadlock } from "./session.ts";

/** The values of a new row; an existing row keeps secretKey and createdAt. */
export type NewRow = readonly [
  secretId: string,
  secretKey: string,
  name: string,
  description: string,
  expires: number,
  createdAt: string,
  updatedAt: string,
];

/** The quoted names of the tables. */
export interface ChangedTables {
  readonly secrets: string;
  readonly epochs: string;
}

/**
 * Changes one row. A change compares the epoch of its announcement with the one in force, and keeps that in force until
 * it commits; with ANY_EPOCH it compares nothing.
 *
 * A change in a transaction of its own takes as few statements as the server allows, and flushes the log once. No INSERT
 * waits for a row, because it would also lock the gap before the row. That would block new secrets whose keys come just
 * before a locked key:
 *
 *     another session    has locked the row of "of"
 *     a change of "of"   INSERT … ON DUPLICATE KEY UPDATE: waits for the row and the gap before it
 *     a new secret "n"   waits for the gap until the other session ends its transaction
 */
export interface MysqlChanges {
  /**
   * Writes in a transaction of its own. Resolves to the row as this or a later statement wrote it; undefined if the epoch
   * is not in force.
   */
  write(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined>;
  /** As {@link write}, in the open transaction. */
  writeWithin(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined>;
  /**
   * Removes in a transaction of its own. Resolves to the id of the removed row; undefined if there was none, or if the
   * epoch is not in force.
   */
  remove(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined>;
  /** As {@link remove}, in the open transaction. */
  removeWithin(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined>;
}

/**
 * VALUES() is deprecated in MySQL 8, but MariaDB lacks its successor. An INSERT … SELECT would lock the AUTO_INCREMENT
 * counter until the commit. So the first key comes from a subselect on the epoch. If that is not in force, the key is
 * NULL, which is an error: sessions are strict, see MysqlPool.
 */
function upsert({ secrets }: ChangedTables, firstKey: string, count: number): string {
  const rows = Array.from(
    { length: count },
    (_, index) => `(${index === 0 ? firstKey : "?"}, ?, ?, ?, ?, ?, ?)`,
  );
  return `
    INSERT INTO ${secrets} (secretID, secretKey, name, description, expires, createdAt, updatedAt)
    VALUES ${rows.join(", ")}
    ON DUPLICATE KEY UPDATE name = VALUES(name), description = VALUES(description),
      expires = VALUES(expires), updatedAt = VALUES(updatedAt), version = version + 1`;
}

/** A statement without comparison, and one with the epoch after the key. */
export interface Statements {
  readonly always: string;
  readonly ifInForce: string;
}

/** Statements that write `count` rows. */
export function upserts(tables: ChangedTables, count: number, returning: string): Statements {
  return {
    always: upsert(tables, "?", count) + returning,
    ifInForce: upsert(tables, `(SELECT ? ${inForce(tables.epochs)})`, count) + returning,
  };
}

function updates({ secrets, epochs }: ChangedTables): Statements {
  const always =
    `UPDATE ${secrets} SET name = ?, description = ?, expires = ?, updatedAt = ?, version = version + 1
    WHERE secretID = ?`;
  return { always, ifInForce: `${always} AND EXISTS (SELECT 1 ${inForce(epochs)})` };
}

function deletes({ secrets, epochs }: ChangedTables, rest: string): Statements {
  const always = `DELETE FROM ${secrets} WHERE secretID = ?`;
  return {
    always: always + rest,
    ifInForce: `${always} AND EXISTS (SELECT 1 ${inForce(epochs)})${rest}`,
  };
}

/** Statements that fail at once instead of waiting for a lock; MariaDB has them. */
export function impatient({ always, ifInForce }: Statements): Statements {
  const prefix = "SET STATEMENT innodb_lock_wait_timeout = 0 FOR ";
  return { always: prefix + always, ifInForce: prefix + ifInForce };
}

export function statementFor(statements: Statements, epoch: Epoch): string {
  return epoch === ANY_EPOCH ? statements.always : statements.ifInForce;
}

/** `values` begin with the first key. */
export function valuesFor([key, ...others]: readonly MysqlValue[], epoch: Epoch): MysqlValue[] {
  return epoch === ANY_EPOCH ? [key!, ...others] : [key!, epoch, ...others];
}

/** Resolves as `write` does, or to undefined if the epoch is not in force and the key therefore NULL. */
export async function unlessOutOfForce<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (isMissingSecretId(error)) return undefined;
    throw error;
  }
}

function lock(secrets: string): string {
  return `SELECT id FROM ${secrets} WHERE secretID = ? FOR UPDATE`;
}

export const isAny = (rows: readonly unknown[]): boolean => rows.length > 0;

/** For MariaDB, which has RETURNING and statements that do not wait for locks. */
export class ReturningChanges implements MysqlChanges {
  readonly #lock: string;
  readonly #upserts: Statements;
  readonly #impatientUpserts: Statements;
  readonly #deletes: Statements;

  constructor(tables: ChangedTables) {
    this.#lock = lock(tables.secrets);
    this.#upserts = upserts(tables, 1, ` RETURNING ${SECRET_COLUMNS}`);
    this.#impatientUpserts = impatient(this.#upserts);
    this.#deletes = deletes(tables, " RETURNING id");
  }

  async write(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined> {
    const upsert = () => this.#upsert(session, this.#impatientUpserts, row, epoch);
    try {
      return (await unlessOutOfForce(() => unlessDeadlock(() => session.commits(upsert, isAny))))?.[0];
    } catch (error) {
      if (!isRowBusy(error)) throw error;
      return await transaction(session, () => this.writeWithin(session, row, epoch));
    }
  }

  async writeWithin(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined> {
    await session.rows(this.#lock, [row[0]]);
    return (await unlessOutOfForce(() => this.#upsert(session, this.#upserts, row, epoch)))?.[0];
  }

  async remove(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined> {
    const remove = () => session.commits(() => this.#delete(session, secretId, epoch), isAny);
    return (await unlessDeadlock(remove))[0]?.id;
  }

  async removeWithin(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined> {
    return (await this.#delete(session, secretId, epoch))[0]?.id;
  }

  #upsert(session: MysqlSession, statements: Statements, row: NewRow, epoch: Epoch): Promise<SecretRow[]> {
    return session.returning(statementFor(statements, epoch), valuesFor(row, epoch));
  }

  #delete(session: MysqlSession, secretId: string, epoch: Epoch): Promise<{ readonly id: string }[]> {
    return session.returning(statementFor(this.#deletes, epoch), valuesFor([secretId], epoch));
  }
}

const isSome = (count: number | undefined): boolean => count !== undefined && count > 0;

/** For MySQL: another statement reads what was changed, and flushes nothing. */
export class RereadChanges implements MysqlChanges {
  readonly #lock: string;
  readonly #updates: Statements;
  readonly #upserts: Statements;
  readonly #read: string;
  readonly #deletes: Statements;

  constructor(tables: ChangedTables) {
    this.#lock = lock(tables.secrets);
    this.#updates = updates(tables);
    this.#upserts = upserts(tables, 1, "");
    this.#read = selectSecrets(tables.secrets, 1);
    // LAST_INSERT_ID(id) stores the id in the session, also in a DELETE.
    this.#deletes = deletes(tables, " AND LAST_INSERT_ID(id)");
  }

  /** If another client removes the row before it is read, writes again, as if the removal had come first. */
  async write(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined> {
    const [secretId, , name, description, expires, , updatedAt] = row;
    const update = () =>
      session.run(statementFor(this.#updates, epoch), [
        name,
        description,
        expires,
        updatedAt,
        ...valuesFor([secretId], epoch),
      ]);
    const upsert = () => this.#upsert(session, row, epoch);
    for (;;) {
      if (await unlessDeadlock(() => session.commits(update, isSome)) === 0) {
        const upserted = await unlessDeadlock(() => session.commits(upsert, isSome));
        if (upserted === undefined) return undefined;
      }
      const [written] = await session.rows<SecretRow>(this.#read, [secretId]);
      if (written !== undefined) return written;
    }
  }

  async writeWithin(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined> {
    await session.rows(this.#lock, [row[0]]);
    if (await this.#upsert(session, row, epoch) === undefined) return undefined;
    return (await session.rows<SecretRow>(this.#read, [row[0]]))[0];
  }

  async remove(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined> {
    const remove = () => session.commits(() => this.#delete(session, secretId, epoch), isSome);
    return await unlessDeadlock(remove) === 0 ? undefined : await this.#removedId(session);
  }

  async removeWithin(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined> {
    return await this.#delete(session, secretId, epoch) === 0 ? undefined : await this.#removedId(session);
  }

  #upsert(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<number | undefined> {
    const sql = statementFor(this.#upserts, epoch);
    return unlessOutOfForce(() => session.run(sql, valuesFor(row, epoch)));
  }

  #delete(session: MysqlSession, secretId: string, epoch: Epoch): Promise<number> {
    return session.run(statementFor(this.#deletes, epoch), valuesFor([secretId], epoch));
  }

  async #removedId(session: MysqlSession): Promise<string> {
    const [removed] = await session.rows<{ readonly id: string }>("SELECT LAST_INSERT_ID() AS id");
    return removed!.id;
  }
}
