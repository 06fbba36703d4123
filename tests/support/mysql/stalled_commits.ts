import { startMariadb, type TestMariadb } from "./mariadb.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { MysqlPool } from "../../../src/store/mysql/pool.ts";

const SIGNAL = new AbortController().signal;

/**
 * A MariaDB whose commits the test may stall while reads go on: semi-synchronous replication without a replica, so that
 * a commit waits before its change can be seen.
 */
export class StallingMariadb implements AsyncDisposable {
  readonly server: TestMariadb;
  readonly #admin: MysqlPool;

  private constructor(server: TestMariadb) {
    this.server = server;
    this.#admin = new MysqlPool({ ...server.config(""), maxConnections: 1 }, systemClock);
  }

  static async start(): Promise<StallingMariadb> {
    const server = await startMariadb({
      args: [
        "--log-bin=binlog",
        "--server-id=1",
        "--rpl-semi-sync-master-timeout=4294967295",
        "--rpl-semi-sync-master-wait-no-slave=ON",
        "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
      ],
    });
    return new StallingMariadb(server);
  }

  /** From now on no commit ends. */
  stall(): Promise<void> {
    return this.run("SET GLOBAL rpl_semi_sync_master_enabled = ON");
  }

  /** Lets all commits end. */
  release(): Promise<void> {
    return this.run("SET GLOBAL rpl_semi_sync_master_enabled = OFF");
  }

  /** Runs a statement, in no database. */
  async run(sql: string): Promise<void> {
    await this.#admin.use((session) => session.command(sql), SIGNAL);
  }

  /** The number of other sessions with a running statement. */
  async stalled(): Promise<number> {
    const rows = await this.#admin.use((session) => {
      return session.rows(
        "SELECT 1 FROM information_schema.PROCESSLIST " +
          "WHERE COMMAND IN ('Query', 'Execute') AND ID <> CONNECTION_ID()",
      );
    }, SIGNAL);
    return rows.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}
