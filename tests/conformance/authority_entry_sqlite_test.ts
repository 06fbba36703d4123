import { SqliteDatabase } from "../../src/store/sqlite_database.ts";
import { SqliteEntries } from "../../src/store/sqlite_entries.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { authorityEntrySuite } from "./authority_entry_suite.ts";

authorityEntrySuite("SqliteEntries", () => {
  const clock = new FakeClock();
  const database = new SqliteDatabase(":memory:");
  const store = new SqliteEntries(database, clock);
  return Promise.resolve({
    store,
    clock,
    [Symbol.asyncDispose]: () => {
      store[Symbol.dispose]();
      database[Symbol.dispose]();
      return Promise.resolve();
    },
  });
});
