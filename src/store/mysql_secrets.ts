import type { Entry } from "../core/entry.ts";
import { type CacheKey, secretIdOf } from "../core/key.ts";
import type { Authority } from "../core/ports.ts";
import { type Secret, type SecretChange, secretExpiresAtMs } from "../core/secret.ts";
import { endOf, type Version } from "../core/version.ts";
import { databaseUnavailable, refuseAborted } from "./database_error.ts";
import { outboxOf } from "./mysql_outbox_schema.ts";
import { MysqlDatetime } from "./mysql_datetime.ts";
import type { MysqlPool } from "./mysql_pool.ts";
import { MysqlReads, type SecretRow, selectSecrets } from "./mysql_reads.ts";
import { type MysqlSession, transaction } from "./mysql_session.ts";
import { quoteName } from "./mysql_table.ts";
import { wholeNumber } from "./mysql_whole_number.ts";

interface RecordRow {
  readonly rowID: string;
  readonly revision: string;
}

/** VALUES() is deprecated in MySQL 8, but its successor is unknown to MariaDB. */
function statements(table: string, outbox: string) {
  return {
    read: selectSecrets(table, 1),
    write: `
      INSERT INTO ${table} (secretID, secretKey, name, description, expires, createdAt, updatedAt)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON DUPLICATE KEY UPDATE name = VALUES(name), description = VALUES(description),
        expires = VALUES(expires), updatedAt = VALUES(updatedAt), version = version + 1`,
    lock: `SELECT id FROM ${table} WHERE secretID = ? FOR UPDATE`,
    remove: `DELETE FROM ${table} WHERE id = ?`,
    recorded: `
      SELECT rowID, revision FROM ${outbox} WHERE secretID = ? ORDER BY rowID DESC, revision DESC LIMIT 1`,
    ping: "SELECT 1",
  };
}

export interface MysqlSecretsOptions {
  readonly table: string;
  /** The zone of the table's DATETIME columns: `UTC`, `Local` or an IANA name. */
  readonly location: string;
}

/** What else belongs to the transaction of a change; the version is undefined where nothing was there to remove. */
type AlsoInTransaction = (
  session: MysqlSession,
  secretId: string,
  version: Version | undefined,
) => Promise<void>;

/** Secrets in MySQL or MariaDB, one row each. Expired ones stay until they are removed. */
export class MysqlSecrets implements Authority<Secret, SecretChange> {
  readonly #pool: MysqlPool;
  readonly #datetime: MysqlDatetime;
  readonly #sql: ReturnType<typeof statements>;
  readonly #reads: MysqlReads;
  readonly #always = new AbortController().signal;
  #ping: Promise<unknown> | undefined;

  /** The pool stays its owner's to close. */
  constructor(pool: MysqlPool, { table, location }: MysqlSecretsOptions) {
    this.#pool = pool;
    this.#datetime = new MysqlDatetime(location);
    this.#sql = statements(quoteName(table), quoteName(outboxOf(table)));
    this.#reads = new MysqlReads(pool, quoteName(table));
  }

  async read(key: CacheKey, signal: AbortSignal): Promise<Entry<Secret> | undefined> {
    const row = await this.#reads.read(secretIdOf(key), signal);
    return row === undefined ? undefined : this.#entryOf(row);
  }

  /**
   * The transaction holds the row's lock until it has been read back, so the entry is the one that this write
   * made, even if somebody else removes the row right behind it.
   */
  async write(
    key: CacheKey,
    change: SecretChange,
    signal: AbortSignal,
    also?: AlsoInTransaction,
  ): Promise<Entry<Secret>> {
    const secretId = secretIdOf(key);
    const { name, description, expires, newSecretKey, atMs } = change;
    const at = this.#datetime.toText(atMs);
    return await this.#pool.use((session) =>
      transaction(session, async () => {
        await session.run(this.#sql.write, [secretId, newSecretKey, name, description, expires, at, at]);
        const [row] = await session.rows<SecretRow>(this.#sql.read, [secretId]);
        if (row === undefined) throw databaseUnavailable("a row that was written cannot be read back");
        const entry = this.#entryOf(row);
        await also?.(session, secretId, entry.version);
        return entry;
      }), signal);
  }

  /**
   * Where there is no row, the version that the outbox has for the key: whoever removed it could not tell Redis,
   * and a publication that is still under way must not outlive this removal either.
   */
  async remove(
    key: CacheKey,
    signal: AbortSignal,
    also?: AlsoInTransaction,
  ): Promise<Version | undefined> {
    const secretId = secretIdOf(key);
    return await this.#pool.use((session) =>
      transaction(session, async () => {
        const [locked] = await session.rows<{ readonly id: string }>(this.#sql.lock, [secretId]);
        if (locked !== undefined) await session.run(this.#sql.remove, [locked.id]);
        const version = locked === undefined
          ? await this.#recorded(session, secretId)
          : endOf(wholeNumber(locked.id, "id"));
        await also?.(session, secretId, version);
        return version;
      }), signal);
  }

  async #recorded(session: MysqlSession, secretId: string): Promise<Version | undefined> {
    const [record] = await session.rows<RecordRow>(this.#sql.recorded, [secretId]);
    if (record === undefined) return undefined;
    return { id: wholeNumber(record.rowID, "rowID"), revision: wholeNumber(record.revision, "revision") };
  }

  /** All who ask while an answer is under way share it: it tells of a time after each of them has asked. */
  async ping(signal: AbortSignal): Promise<void> {
    refuseAborted(signal);
    this.#ping ??= this.#pool.use((session) => session.rows(this.#sql.ping), this.#always)
      .finally(() => this.#ping = undefined);
    await this.#ping;
  }

  #entryOf(row: SecretRow): Entry<Secret> {
    const value: Secret = {
      userId: row.userID ?? "",
      name: row.name ?? "",
      secretId: row.secretID,
      secretKey: row.secretKey ?? "",
      expires: wholeNumber(row.expires ?? "0", "expires"),
      status: row.status,
      description: row.description ?? "",
      createdAtMs: this.#datetime.toEpochMs(row.createdAt),
      updatedAtMs: this.#datetime.toEpochMs(row.updatedAt),
    };
    const version = { id: wholeNumber(row.id, "id"), revision: wholeNumber(row.version, "version") };
    return { value, expiresAtMs: secretExpiresAtMs(value), version };
  }
}
