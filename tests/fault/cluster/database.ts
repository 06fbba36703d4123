import { systemClock } from "../../../src/core/clock.ts";
import { MysqlPool } from "../../../src/store/mysql/pool.ts";
import type { MysqlSession } from "../../../src/store/mysql/session.ts";
import type { TestMariadb } from "../../support/mysql/mariadb.ts";

/** Makes commits wait for a replica that does not exist, while `rpl_semi_sync_master_enabled` is on. */
export const STALLING_ARGUMENTS = [
  "--log-bin=binlog",
  "--server-id=1",
  "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
  "--rpl-semi-sync-master-wait-no-slave=ON",
  "--rpl-semi-sync-master-timeout=3600000",
];

const SIGNAL = new AbortController().signal;

const TABLE = "usercenter_secret";

/** The row of a secret. */
export interface SecretRow {
  readonly description: string;
  readonly secretKey: string;
}

/** Direct access to the cluster's database: its rows, and faults that are made inside it. */
export class Database implements AsyncDisposable {
  readonly #pool: MysqlPool;
  #lock: { release(): void; readonly released: Promise<void> } | undefined;

  constructor(mariadb: TestMariadb, database: string) {
    this.#pool = new MysqlPool({ ...mariadb.config(database), maxConnections: 4 }, systemClock);
  }

  /** Undefined if there is no row. Rejects while the server is down. */
  async secret(key: string): Promise<SecretRow | undefined> {
    const [row] = await this.#pool.use(
      (session) =>
        session.rows<SecretRow>(`SELECT description, secretKey FROM ${TABLE} WHERE secretID = ?`, [key]),
      SIGNAL,
    );
    return row;
  }

  /** Stalls all commits until {@link resumeCommits}, while reads go on, as a log on a stalled disk does. */
  stallCommits(): Promise<void> {
    return this.#command("SET GLOBAL rpl_semi_sync_master_enabled = ON");
  }

  /** Lets all waiting commits take effect. */
  resumeCommits(): Promise<void> {
    return this.#command("SET GLOBAL rpl_semi_sync_master_enabled = OFF");
  }

  /** Locks the row of an existing secret; resolves once it is locked. */
  async lock(key: string): Promise<void> {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: locked, resolve: onLocked, reject: onFailed } = Promise.withResolvers<void>();
    const work = async (session: MysqlSession) => {
      await session.command("START TRANSACTION");
      const rows = await session.rows(`SELECT id FROM ${TABLE} WHERE secretID = ? FOR UPDATE`, [key]);
      if (rows.length !== 1) throw new Error(`Cannot lock the row of ${key}: there is none`);
      onLocked();
      await held;
      await session.command("ROLLBACK");
    };
    const released = this.#pool.use(work, SIGNAL).catch(onFailed);
    this.#lock = { release, released };
    await locked;
  }

  /** Releases the lock. */
  async release(): Promise<void> {
    this.#lock?.release();
    await this.#lock?.released;
    this.#lock = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
    await this.#pool[Symbol.asyncDispose]();
  }

  #command(sql: string): Promise<void> {
    return this.#pool.use((session) => session.command(sql), SIGNAL);
  }
}
