import { SqliteSecrets } from "../../src/store/sqlite/secrets.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { memoryFile } from "../support/sqlite/sqlite.ts";
import { authoritySecretSuite } from "./authority_secret_suite.ts";

authoritySecretSuite("SqliteSecrets", () => {
  const file = memoryFile(new FakeClock());
  return Promise.resolve({
    store: new SqliteSecrets(file),
    [Symbol.asyncDispose]: () => Promise.resolve(file[Symbol.dispose]()),
  });
});
