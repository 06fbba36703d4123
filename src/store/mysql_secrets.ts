import type { Entry } from "../core/entry.ts";
import { type CacheKey, secretIdOf } from "../core/key.ts";
import type { Announcement, Authority } from "../core/ports.ts";
import { type Secret, type SecretChange, secretExpiresAtMs } from "../core/secret.ts";
import { endOf, type Version } from "../core/version.ts";
import { refuseAborted } from "./database_error.ts";
import { type MysqlChanges, type NewRow, RereadChanges, ReturningChanges } from "./mysql_changes.ts";
import { outboxOf } from "./mysql_outbox_schema.ts";
import { MysqlDatetime } from "./mysql_datetime.ts";
import type { MysqlPool } from "./mysql_pool.ts";
import { MysqlReads, type SecretRow } from "./mysql_reads.ts";
import { autocommit, type MysqlSession, transaction } from "./mysql_session.ts";
import { quoteName } from "./mysql_table.ts";
import { wholeNumber } from "./mysql_whole_number.ts";

interface RecordRow {
  readonly rowID: string;
  readonly revision: string;
}

/** Of the outbox, whose name is quoted. */
function outboxStatements(outbox: string) {
  return {
    record: `INSERT INTO ${outbox} (secretID, rowID, revision) VALUES (?, ?, ?)`,
    recorded: `
      SELECT rowID, revision FROM ${outbox} WHERE secretID = ? ORDER BY rowID DESC, revision DESC LIMIT 1`,
  };
}

export interface MysqlSecretsOptions {
  readonly table: string;
  /** The zone of the table's DATETIME columns: `UTC`, `Local` or an IANA name. */
  readonly location: string;
  /** Whether a change is asked for what it has made by RETURNING; the server's version tells where this is left out. */
  readonly returning?: boolean;
}

/** Secrets in MySQL or MariaDB, one row each. Expired ones stay until they are removed. */
export class MysqlSecrets implements Authority<Secret, SecretChange> {
  readonly #pool: MysqlPool;
  readonly #datetime: MysqlDatetime;
  readonly #reads: MysqlReads;
  readonly #changes: { readonly returning: MysqlChanges; readonly reread: MysqlChanges };
  readonly #returning: boolean | undefined;
  readonly #outbox: ReturnType<typeof outboxStatements>;
  readonly #always = new AbortController().signal;
  #ping: Promise<unknown> | undefined;

  /** The pool stays its owner's to close. */
  constructor(pool: MysqlPool, { table, location, returning }: MysqlSecretsOptions) {
    const name = quoteName(table);
    this.#pool = pool;
    this.#datetime = new MysqlDatetime(location);
    this.#reads = new MysqlReads(pool, name);
    this.#changes = { returning: new ReturningChanges(name), reread: new RereadChanges(name) };
    this.#returning = returning;
    this.#outbox = outboxStatements(quoteName(outboxOf(table)));
  }

  async read(key: CacheKey, signal: AbortSignal): Promise<Entry<Secret> | undefined> {
    const row = await this.#reads.read(secretIdOf(key), signal);
    return row === undefined ? undefined : this.#entryOf(row);
  }

  /** What is `untold` is recorded in the outbox by the same transaction. */
  async write(
    key: CacheKey,
    change: SecretChange,
    signal: AbortSignal,
    announcement: Announcement = "announced",
  ): Promise<Entry<Secret>> {
    const { name, description, expires, newSecretKey, atMs } = change;
    const at = this.#datetime.toText(atMs);
    const secretId = secretIdOf(key);
    const row: NewRow = [secretId, newSecretKey, name, description, expires, at, at];
    return await this.#change(announcement, signal, async (session) => {
      const entry = this.#entryOf(await this.#changesOver(session).write(session, row));
      if (announcement === "untold") await this.#record(session, secretId, entry.version);
      return entry;
    });
  }

  /**
   * Where there is no row, the version that the outbox has for the key: its remover could not tell Redis, and a
   * publication that is still under way must not outlive this removal either. If Redis cannot be told of this one, it
   * is recorded all the same: Redis may still hold what another program removed.
   */
  async remove(
    key: CacheKey,
    signal: AbortSignal,
    announcement: Announcement = "announced",
  ): Promise<Version | undefined> {
    const secretId = secretIdOf(key);
    return await this.#change(announcement, signal, async (session) => {
      const id = await this.#changesOver(session).remove(session, secretId);
      const version = id === undefined
        ? await this.#recorded(session, secretId)
        : endOf(wholeNumber(id, "id"));
      if (announcement === "untold") await this.#record(session, secretId, version);
      return version;
    });
  }

  #change<T>(
    announcement: Announcement,
    signal: AbortSignal,
    work: (session: MysqlSession) => Promise<T>,
  ): Promise<T> {
    const run = announcement === "untold" ? transaction : autocommit;
    return this.#pool.change((session) => run(session, () => work(session)), signal);
  }

  #changesOver(session: MysqlSession): MysqlChanges {
    return this.#changes[this.#returning ?? session.knowsReturning ? "returning" : "reread"];
  }

  async #record(session: MysqlSession, secretId: string, version: Version | undefined): Promise<void> {
    await session.run(this.#outbox.record, [secretId, version?.id ?? 0, version?.revision ?? 0]);
  }

  async #recorded(session: MysqlSession, secretId: string): Promise<Version | undefined> {
    const [record] = await session.rows<RecordRow>(this.#outbox.recorded, [secretId]);
    if (record === undefined) return undefined;
    return { id: wholeNumber(record.rowID, "rowID"), revision: wholeNumber(record.revision, "revision") };
  }

  /** All who ask while an answer is under way share it: it tells of a time after each of them has asked. */
  async ping(signal: AbortSignal): Promise<void> {
    refuseAborted(signal);
    this.#ping ??= this.#pool.use((session) => session.rows("SELECT 1"), this.#always)
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
