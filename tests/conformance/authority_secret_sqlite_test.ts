import { SqliteDatabase } from "../../src/store/sqlite_database.ts";
import { SqliteSecrets } from "../../src/store/sqlite_secrets.ts";
import { authoritySecretSuite } from "./authority_secret_suite.ts";

authoritySecretSuite("SqliteSecrets", () => {
  const database = new SqliteDatabase(":memory:");
  return Promise.resolve({
    store: new SqliteSecrets(database),
    [Symbol.asyncDispose]: () => Promise.resolve(database[Symbol.dispose]()),
  });
});
