import { systemClock } from "../../src/core/clock.ts";
import { migrateMysql } from "../../src/store/mysql/migrate.ts";
import { MysqlPool } from "../../src/store/mysql/pool.ts";
import { MysqlSecrets } from "../../src/store/mysql/secrets.ts";
import { TestDatabase } from "../support/mysql/database.ts";
import { type MysqlAddress, testServers, testWithServers } from "../support/servers/servers.ts";
import { authoritySecretSuite, type OpenSecretStore } from "./authority_secret_suite.ts";

async function open(server: MysqlAddress, returning: boolean): Promise<OpenSecretStore> {
  const database = new TestDatabase(server);
  await migrateMysql(database.config, systemClock, new AbortController().signal);
  const pool = new MysqlPool(database.config, systemClock);
  return {
    store: new MysqlSecrets(pool, { ...database.config, returning }),
    [Symbol.asyncDispose]: async () => {
      await pool[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

for (
  const [name, returning] of [["MysqlSecrets", true], ["MysqlSecrets without RETURNING", false]] as const
) {
  authoritySecretSuite(
    name,
    () => open(testServers().mysql!, returning),
    (title, test) => testWithServers(["mysql"], title, test),
  );
}
