import type { Entry } from "../core/entry.ts";
import { type CacheKey, secretCacheKey } from "../core/key.ts";
import type { Outbox, OutboxRecord } from "../core/ports.ts";
import type { Secret, SecretChange } from "../core/secret.ts";
import type { Version } from "../core/version.ts";
import { outboxOf } from "./mysql_outbox_schema.ts";
import type { MysqlPool } from "./mysql_pool.ts";
import type { MysqlSecrets } from "./mysql_secrets.ts";
import type { MysqlSession } from "./mysql_session.ts";
import { quoteName } from "./mysql_table.ts";
import { wholeNumber } from "./mysql_whole_number.ts";

interface OutboxRow {
  readonly id: string;
  readonly secretID: string;
  readonly rowID: string;
  readonly revision: string;
}

/** The outbox of the secrets in MySQL or MariaDB: a table beside theirs, so that one transaction can hold both. */
export class MysqlOutbox implements Outbox<Secret, SecretChange> {
  readonly #pool: MysqlPool;
  readonly #secrets: MysqlSecrets;
  readonly #table: string;

  /** `table` is the one of the secrets. The pool stays its owner's to close. */
  constructor(pool: MysqlPool, secrets: MysqlSecrets, { table }: { readonly table: string }) {
    this.#pool = pool;
    this.#secrets = secrets;
    this.#table = quoteName(outboxOf(table));
  }

  write(key: CacheKey, change: SecretChange, signal: AbortSignal): Promise<Entry<Secret>> {
    return this.#secrets.write(key, change, signal, this.#record);
  }

  /** Records also that there was nothing to remove: the shared tier may still hold what another program removed. */
  remove(key: CacheKey, signal: AbortSignal): Promise<Version | undefined> {
    return this.#secrets.remove(key, signal, this.#record);
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
    await this.#pool.use((session) => session.command(sql), signal);
  }

  readonly #record = async (
    session: MysqlSession,
    secretId: string,
    version: Version | undefined,
  ): Promise<void> => {
    await session.run(
      `INSERT INTO ${this.#table} (secretID, rowID, revision) VALUES (?, ?, ?)`,
      [secretId, version?.id ?? 0, version?.revision ?? 0],
    );
  };
}
