import { systemClock } from "../../../src/core/clock.ts";
import { migrateMysql } from "../../../src/store/mysql/migrate.ts";
import { MysqlOutbox } from "../../../src/store/mysql/outbox.ts";
import { MysqlPool, type MysqlPoolOptions } from "../../../src/store/mysql/pool.ts";
import { MysqlSecrets } from "../../../src/store/mysql/secrets.ts";
import type { MysqlAddress } from "../servers/servers.ts";
import { TestDatabase } from "./database.ts";

/** A migrated database of the test's own, with a pool and the stores on it. */
export class MigratedDatabase extends TestDatabase {
  readonly pool: MysqlPool;
  readonly secrets: MysqlSecrets;
  readonly outbox: MysqlOutbox;

  private constructor(server: MysqlAddress, options: Partial<MysqlPoolOptions>) {
    super(server);
    this.pool = new MysqlPool({ ...this.config, ...options }, systemClock);
    this.secrets = new MysqlSecrets(this.pool, this.config);
    this.outbox = new MysqlOutbox(this.pool, this.config);
  }

  /** `options` change those of the pool. */
  static async open(
    server: MysqlAddress,
    options: Partial<MysqlPoolOptions> = {},
  ): Promise<MigratedDatabase> {
    const database = new MigratedDatabase(server, options);
    await migrateMysql(database.config, systemClock, new AbortController().signal);
    return database;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.pool[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}
