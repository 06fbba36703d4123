import { ANY_EPOCH, type Epoch } from "../../core/ports.ts";
import { inForce } from "./epoch_schema.ts";
import { isMissingSecretId, isRowBusy } from "./errors.ts";
import { SECRET_COLUMNS, type SecretRow, selectSecrets } from "./reads.ts";
import { type MysqlSession, type MysqlValue, transaction, unlessDeadlock } from "./session.ts";

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
 * Changes one row. A change compares the epoch under which it was announced with the one in force, and keeps that in
 * force until it is committed; with ANY_EPOCH it compares nothing.
 *
 * A change that is its own transaction takes as few statements as the server allows, and flushes the log once. None of
 * them waits for a row in an INSERT: that would also lock the gap before the row, and so keep new secrets out whose keys
 * happen to come before a key that is locked:
 *
 *     another session    has locked the row of "of"
 *     a change of "of"   INSERT … ON DUPLICATE KEY UPDATE: waits for the row and the gap before it
 *     a new secret "n"   waits for the gap, for as long as the other session likes
 */
export interface MysqlChanges {
  /**
   * Writes in a transaction of its own. Resolves to the row as this statement made it, or as a later one did; undefined
   * if the epoch is not in force.
   */
  write(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined>;
  /** As {@link write}, in the transaction that is open. */
  writeWithin(session: MysqlSession, row: NewRow, epoch: Epoch): Promise<SecretRow | undefined>;
  /**
   * Removes in a transaction of its own. Resolves to the id of the row that was there; undefined if none was, or the
   * epoch is not in force.
   */
  remove(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined>;
  /** As {@link remove}, in the transaction that is open. */
  removeWithin(session: MysqlSession, secretId: string, epoch: Epoch): Promise<string | undefined>;
}

/**
 * VALUES() is deprecated in MySQL 8, but its successor is unknown to MariaDB. An INSERT … SELECT would lock the numbers
 * of the table until its commit, so the epoch is asked for the first key: without it there is none, which is an error.
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

/** One statement for changes that compare nothing, and one that has the epoch after the key. */
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

/** Statements that give up at once where they would wait for a lock; MariaDB knows them. */
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

/** Resolves as `write` does, or to undefined where it has found the epoch not in force, and so no key. */
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

/** For MariaDB, which gives back the rows that a statement has changed, and can be told not to wait for a lock. */
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

/** For MySQL, which has to be asked once more what a statement has changed; that flushes nothing. */
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
    // The session remembers what LAST_INSERT_ID() was last given, also by a DELETE.
    this.#deletes = deletes(tables, " AND LAST_INSERT_ID(id)");
  }

  /** Another client may have removed the row before it is read: that removal came first, then, and this write again. */
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
