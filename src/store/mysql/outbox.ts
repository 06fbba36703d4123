import { secretCacheKey } from "../../core/key.ts";
import { ANY_EPOCH, type Epoch, type Outbox, type OutboxRecord } from "../../core/ports.ts";
import { epochsOf, inForce, MysqlEpochs } from "./epochs.ts";
import type { MysqlPool } from "./pool.ts";
import { unlessDeadlock, wholeNumber } from "./session.ts";
import { quoteName } from "./table.ts";

/** The name of the outbox of a table of secrets. */
export function outboxOf(table: string): string {
  return `${table}_outbox`;
}

/** The statement that creates an outbox. Only operators read `createdAt`. */
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

interface OutboxRow {
  readonly id: string;
  readonly secretID: string;
  readonly rowID: string;
  readonly revision: string;
}

/** The outbox of the secrets: a table beside theirs, written in the transaction of each change that needs a record. */
export class MysqlOutbox implements Outbox {
  readonly #pool: MysqlPool;
  readonly #table: string;
  readonly #epochTable: string;
  readonly #epochs: MysqlEpochs;

  /** `table` is the table of secrets. The caller keeps and closes the pool. */
  constructor(pool: MysqlPool, { table }: { readonly table: string }) {
    this.#pool = pool;
    this.#table = quoteName(outboxOf(table));
    this.#epochTable = quoteName(epochsOf(table));
    this.#epochs = new MysqlEpochs(pool, table);
  }

  enter(
    epoch: Epoch,
    confirm: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    return this.#epochs.enter(epoch, confirm, signal);
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

  /** Deletes in the order of ids, so that replicas which clear the same records wait for each other without deadlock. */
  async clear(records: readonly OutboxRecord[], epoch: Epoch, signal: AbortSignal): Promise<void> {
    if (records.length === 0) return;
    const ids = records.map(({ id }) => id).sort((a, b) => a - b).join(", ");
    const condition = epoch === ANY_EPOCH ? "" : `AND EXISTS (SELECT 1 ${inForce(this.#epochTable)})`;
    const sql = `DELETE FROM ${this.#table} WHERE id IN (${ids}) ${condition} ORDER BY id`;
    const values = epoch === ANY_EPOCH ? [] : [epoch];
    await this.#pool.change(
      (session) => unlessDeadlock(() => session.commits(() => session.command(sql, values), () => true)),
      signal,
    );
  }
}
