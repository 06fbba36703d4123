import type { MysqlConfig } from "../../../src/config/data/database.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { MysqlPool } from "../../../src/store/mysql/pool.ts";
import type { MysqlValue } from "../../../src/store/mysql/session.ts";
import { mysqlConfig } from "./mariadb.ts";
import type { MysqlAddress } from "../servers/servers.ts";

const SIGNAL = new AbortController().signal;

/** A database for one test on a shared server, dropped by its disposal. */
export class TestDatabase implements AsyncDisposable {
  readonly config: MysqlConfig;
  /** Connections to the server, with no database chosen. */
  readonly #admin: MysqlPool;

  /** Does not create the database: `migrateMysql` or the test does. */
  constructor(server: MysqlAddress) {
    this.config = mysqlConfig(server);
    this.#admin = new MysqlPool({ ...this.config, database: "", maxConnections: 1 }, systemClock);
  }

  /** Runs a statement in the database, prepared if there are values. */
  async run(sql: string, values: MysqlValue[] = []): Promise<void> {
    await this.#admin.use(async (session) => {
      await session.command(`USE ${this.config.database}`);
      await (values.length === 0 ? session.command(sql) : session.run(sql, values));
    }, SIGNAL);
  }

  /** The rows of a query in the database. */
  async rows<Row>(sql: string, values: MysqlValue[] = []): Promise<Row[]> {
    return await this.#admin.use(async (session) => {
      await session.command(`USE ${this.config.database}`);
      return await session.rows<Row>(sql, values);
    }, SIGNAL);
  }

  async create(): Promise<void> {
    await this.#admin.use((session) => {
      return session.command(`CREATE DATABASE ${this.config.database} CHARACTER SET utf8mb4`);
    }, SIGNAL);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.use((session) => {
      return session.command(`DROP DATABASE IF EXISTS ${this.config.database}`);
    }, SIGNAL);
    await this.#admin[Symbol.asyncDispose]();
  }
}
