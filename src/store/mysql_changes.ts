import { SECRET_COLUMNS, type SecretRow, selectSecrets } from "./mysql_reads.ts";
import type { MysqlSession } from "./mysql_session.ts";

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

/**
 * Changes one row, each time by one statement that is also its own transaction unless one is open. The server answers
 * once and flushes its log once.
 */
export interface MysqlChanges {
  /** Resolves to the row as this statement made it, or as a later one did. */
  write(session: MysqlSession, row: NewRow): Promise<SecretRow>;
  /** Resolves to the id of the row that was there. */
  remove(session: MysqlSession, secretId: string): Promise<string | undefined>;
}

/** VALUES() is deprecated in MySQL 8, but its successor is unknown to MariaDB. `table` is quoted. */
function upsert(table: string): string {
  return `
    INSERT INTO ${table} (secretID, secretKey, name, description, expires, createdAt, updatedAt)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON DUPLICATE KEY UPDATE name = VALUES(name), description = VALUES(description),
      expires = VALUES(expires), updatedAt = VALUES(updatedAt), version = version + 1`;
}

/** For MariaDB, which gives back the rows that a statement has changed. */
export class ReturningChanges implements MysqlChanges {
  readonly #upsert: string;
  readonly #delete: string;

  /** `table` is quoted. */
  constructor(table: string) {
    this.#upsert = `${upsert(table)} RETURNING ${SECRET_COLUMNS}`;
    this.#delete = `DELETE FROM ${table} WHERE secretID = ? RETURNING id`;
  }

  async write(session: MysqlSession, row: NewRow): Promise<SecretRow> {
    const [written] = await session.returning<SecretRow>(this.#upsert, [...row]);
    return written!;
  }

  async remove(session: MysqlSession, secretId: string): Promise<string | undefined> {
    const [removed] = await session.returning<{ readonly id: string }>(this.#delete, [secretId]);
    return removed?.id;
  }
}

/** For MySQL, which has to be asked once more what a statement has changed; that flushes nothing. */
export class RereadChanges implements MysqlChanges {
  readonly #upsert: string;
  readonly #read: string;
  readonly #delete: string;

  /** `table` is quoted. */
  constructor(table: string) {
    this.#upsert = upsert(table);
    this.#read = selectSecrets(table, 1);
    // The session remembers what LAST_INSERT_ID() was last given, also by a DELETE.
    this.#delete = `DELETE FROM ${table} WHERE secretID = ? AND LAST_INSERT_ID(id)`;
  }

  /** Another client may have removed the row before it is read: that removal came first, then, and this write again. */
  async write(session: MysqlSession, row: NewRow): Promise<SecretRow> {
    while (true) {
      await session.run(this.#upsert, [...row]);
      const [written] = await session.rows<SecretRow>(this.#read, [row[0]]);
      if (written !== undefined) return written;
    }
  }

  async remove(session: MysqlSession, secretId: string): Promise<string | undefined> {
    if (await session.run(this.#delete, [secretId]) === 0) return undefined;
    const [removed] = await session.rows<{ readonly id: string }>("SELECT LAST_INSERT_ID() AS id");
    return removed!.id;
  }
}
