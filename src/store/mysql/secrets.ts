import type { Entry } from "../../core/entry.ts";
import { type CacheKey, secretIdOf } from "../../core/key.ts";
import { type Announcement, ANY_EPOCH, type Authority, type Epoch } from "../../core/ports.ts";
import { type Secret, type SecretChange, secretExpiresAtMs } from "../../core/secret.ts";
import { endOf, type Version } from "../../core/version.ts";
import { refuseAborted } from "../database_error.ts";
import { MysqlChangeBatches } from "./change_batches.ts";
import { type MysqlChanges, type NewRow, RereadChanges, ReturningChanges } from "./secret_statements.ts";
import { epochsOf, HEAD_ID } from "./epochs.ts";
import { JointChanges } from "./joint_changes.ts";
import { outboxOf } from "./outbox.ts";
import { MysqlDatetime } from "./datetime.ts";
import type { MysqlPool } from "./pool.ts";
import { MysqlReads, type SecretRow } from "./reads.ts";
import { type MysqlSession, transaction, wholeNumber } from "./session.ts";
import { quoteName } from "./table.ts";

/** The result of a removal. */
interface Removal {
  /** The version above all earlier ones of the key; undefined if it had none. */
  readonly outranks: Version | undefined;
}

/** The state of a key without a row. */
interface GoneRow {
  /** The epoch in force. */
  readonly epoch: string | null;
  /** The newest version in the outbox for the key. */
  readonly rowID: string | null;
  readonly revision: string | null;
}

/** The names of the tables are quoted. */
function statements(outbox: string, epochs: string) {
  return {
    record: `INSERT INTO ${outbox} (secretID, rowID, revision) VALUES (?, ?, ?)`,
    gone: `
      SELECT head.epoch, gone.rowID, gone.revision
      FROM (SELECT 1) AS one LEFT JOIN ${epochs} AS head ON head.id = ${HEAD_ID}
        LEFT JOIN ${outbox} AS gone ON gone.secretID = ?
      ORDER BY gone.rowID DESC, gone.revision DESC LIMIT 1`,
  };
}

/** The announcement of a change without a shared tier. */
const NONE_NEEDED: Readonly<Announcement> = Object.freeze({ epoch: ANY_EPOCH });

export interface MysqlSecretsOptions {
  readonly table: string;
  /** The zone of the table's DATETIME columns: `UTC`, `Local` or an IANA name. */
  readonly location: string;
  /** Whether changes use RETURNING; by default, if the server has it. */
  readonly returning?: boolean;
}

/** Secrets in MySQL or MariaDB, one row each. Expired rows stay until they are removed. */
export class MysqlSecrets implements Authority<Secret, SecretChange> {
  readonly #pool: MysqlPool;
  readonly #datetime: MysqlDatetime;
  readonly #reads: MysqlReads;
  readonly #changes: { readonly returning: MysqlChanges; readonly reread: MysqlChanges };
  readonly #joint: JointChanges;
  readonly #writes: MysqlChangeBatches<NewRow, SecretRow | undefined>;
  readonly #removals: MysqlChangeBatches<string, Removal | undefined>;
  readonly #returning: boolean | undefined;
  readonly #sql: ReturnType<typeof statements>;
  readonly #always = new AbortController().signal;
  #ping: Promise<unknown> | undefined;

  /** The caller keeps and closes the pool. */
  constructor(pool: MysqlPool, { table, location, returning }: MysqlSecretsOptions) {
    const secrets = quoteName(table);
    const epochs = quoteName(epochsOf(table));
    this.#pool = pool;
    this.#datetime = new MysqlDatetime(location);
    this.#reads = new MysqlReads(pool, secrets);
    this.#changes = {
      returning: new ReturningChanges({ secrets, epochs }),
      reread: new RereadChanges({ secrets, epochs }),
    };
    this.#joint = new JointChanges({ secrets, epochs });
    this.#writes = new MysqlChangeBatches(pool, {
      canJoin: (session) => this.#knowsReturning(session),
      alone: (session, row, epoch) => this.#changesOver(session).write(session, row, epoch),
      together: (session, rows, epoch) => this.#writeTogether(session, rows, epoch),
    });
    this.#removals = new MysqlChangeBatches(pool, {
      canJoin: (session) => this.#knowsReturning(session),
      alone: (session, secretId, epoch) => this.#removeAlone(session, secretId, epoch),
      together: (session, secretIds, epoch) => this.#removeTogether(session, secretIds, epoch),
    });
    this.#returning = returning;
    this.#sql = statements(quoteName(outboxOf(table)), epochs);
  }

  async read(key: CacheKey, signal: AbortSignal): Promise<Entry<Secret> | undefined> {
    const row = await this.#reads.read(secretIdOf(key), signal);
    return row === undefined ? undefined : this.#entryOf(row);
  }

  async write(
    key: CacheKey,
    change: SecretChange,
    signal: AbortSignal,
    announcement: Announcement = NONE_NEEDED,
  ): Promise<Entry<Secret>> {
    const { name, description, expires, newSecretKey, atMs } = change;
    const at = this.#datetime.toText(atMs);
    const secretId = secretIdOf(key);
    const row: NewRow = [secretId, newSecretKey, name, description, expires, at, at];
    const { epoch } = announcement;
    if (epoch !== undefined) {
      const written = await this.#writes.make(secretId, row, epoch, signal);
      if (written !== undefined) return this.#entryOf(written);
      announcement.epoch = undefined;
    }
    return await this.#pool.change((session) =>
      transaction(session, async () => {
        const changes = this.#changesOver(session);
        const entry = this.#entryOf((await changes.writeWithin(session, row, ANY_EPOCH))!);
        await this.#record(session, secretId, entry.version);
        return entry;
      }), signal);
  }

  /**
   * Without a row, resolves to the key's version in the outbox: the tombstone of an earlier removal is still missing in
   * Redis, and a publication under way must not outlive this removal either. If Redis has no tombstone for this removal,
   * the outbox gets a record even without a row: Redis may still have what another program removed.
   */
  async remove(
    key: CacheKey,
    signal: AbortSignal,
    announcement: Announcement = NONE_NEEDED,
  ): Promise<Version | undefined> {
    const secretId = secretIdOf(key);
    const { epoch } = announcement;
    if (epoch !== undefined) {
      const removal = await this.#removals.make(secretId, secretId, epoch, signal);
      if (removal !== undefined) return removal.outranks;
      announcement.epoch = undefined;
    }
    return await this.#pool.change((session) =>
      transaction(session, async () => {
        const id = await this.#changesOver(session).removeWithin(session, secretId, ANY_EPOCH);
        const version = id === undefined
          ? (await this.#gone(session, secretId)).version
          : endOf(wholeNumber(id, "id"));
        await this.#record(session, secretId, version);
        return version;
      }), signal);
  }

  async #writeTogether(
    session: MysqlSession,
    rows: readonly NewRow[],
    epoch: Epoch,
  ): Promise<readonly (SecretRow | undefined)[]> {
    return await this.#joint.write(session, rows, epoch) ?? rows.map(() => undefined);
  }

  async #removeAlone(session: MysqlSession, secretId: string, epoch: Epoch): Promise<Removal | undefined> {
    const id = await this.#changesOver(session).remove(session, secretId, epoch);
    return await this.#removalOf(session, secretId, id, epoch);
  }

  async #removeTogether(
    session: MysqlSession,
    secretIds: readonly string[],
    epoch: Epoch,
  ): Promise<(Removal | undefined)[]> {
    const ids = await this.#joint.remove(session, secretIds, epoch);
    const removals: (Removal | undefined)[] = [];
    for (const secretId of secretIds) {
      removals.push(await this.#removalOf(session, secretId, ids.get(secretId), epoch));
    }
    return removals;
  }

  /** The result of a removal that found the row of this id, or none; undefined if the epoch was not in force. */
  async #removalOf(
    session: MysqlSession,
    secretId: string,
    id: string | undefined,
    epoch: Epoch,
  ): Promise<Removal | undefined> {
    if (id !== undefined) return { outranks: endOf(wholeNumber(id, "id")) };
    const gone = await this.#gone(session, secretId);
    // An epoch is in force only once. This one was at the announcement and is now, so it also was in between.
    return epoch === ANY_EPOCH || gone.epoch === epoch ? { outranks: gone.version } : undefined;
  }

  #knowsReturning(session: MysqlSession): boolean {
    return this.#returning ?? session.knowsReturning;
  }

  #changesOver(session: MysqlSession): MysqlChanges {
    return this.#changes[this.#knowsReturning(session) ? "returning" : "reread"];
  }

  async #record(session: MysqlSession, secretId: string, version: Version | undefined): Promise<void> {
    await session.run(this.#sql.record, [secretId, version?.id ?? 0, version?.revision ?? 0]);
  }

  /** The epoch in force now, and the version in the outbox for a key without a row. */
  async #gone(
    session: MysqlSession,
    secretId: string,
  ): Promise<{ readonly epoch: Epoch | undefined; readonly version: Version | undefined }> {
    const [row] = await session.rows<GoneRow>(this.#sql.gone, [secretId]);
    const { epoch, rowID, revision } = row!;
    const version = rowID === null || revision === null
      ? undefined
      : { id: wholeNumber(rowID, "rowID"), revision: wholeNumber(revision, "revision") };
    return { epoch: epoch ?? undefined, version };
  }

  /** Callers share a ping under way: its reply comes after each of them asked. */
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
