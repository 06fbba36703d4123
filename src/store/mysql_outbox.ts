import { secretCacheKey } from "../core/key.ts";
import type { Outbox, OutboxRecord } from "../core/ports.ts";
import { outboxOf } from "./mysql_outbox_schema.ts";
import type { MysqlPool } from "./mysql_pool.ts";
import { autocommit } from "./mysql_session.ts";
import { quoteName } from "./mysql_table.ts";
import { wholeNumber } from "./mysql_whole_number.ts";

interface OutboxRow {
  readonly id: string;
  readonly secretID: string;
  readonly rowID: string;
  readonly revision: string;
}

/** What waits in the outbox of the secrets in MySQL or MariaDB: a table beside theirs, which changes write too. */
export class MysqlOutbox implements Outbox {
  readonly #pool: MysqlPool;
  readonly #table: string;

  /** `table` is the one of the secrets. The pool stays its owner's to close. */
  constructor(pool: MysqlPool, { table }: { readonly table: string }) {
    this.#pool = pool;
    this.#table = quoteName(outboxOf(table));
  }

  async pending(limit: number, signal: AbortSignal): Promise<OutboxRecord[]> {
    const sql = `SELECT id, secretID, rowID, revision FROM ${this.#table} ORDER BY id LIMIT ${limit}`;
    const rows = await this.#pool.use((session) => session.rows<OutboxRow>(sql), signal);
    return rows.map((row) => ({
      id: wholeNumber(row.id, "id"),
      key: secretCacheKey(row.secretID),
      version: { id: wholeNumber(row.rowID, "rowID"), revision: wholeNumber(row.revision, "revision") },
    }));
  }

  /** In the order of the ids: replicas that clear the same records at once wait for each other, and no more. */
  async clear(records: readonly OutboxRecord[], signal: AbortSignal): Promise<void> {
    if (records.length === 0) return;
    const ids = records.map(({ id }) => id).sort((a, b) => a - b).join(", ");
    const sql = `DELETE FROM ${this.#table} WHERE id IN (${ids}) ORDER BY id`;
    await this.#pool.change((session) => autocommit(session, () => session.command(sql)), signal);
  }
}
