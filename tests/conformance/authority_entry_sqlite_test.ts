import { SqliteEntries } from "../../src/store/sqlite/entries.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { ENTRIES, memoryFile } from "../support/sqlite/sqlite.ts";
import { authorityEntrySuite } from "./authority_entry_suite.ts";

authorityEntrySuite("SqliteEntries", () => {
  const clock = new FakeClock();
  const file = memoryFile(clock);
  const store = new SqliteEntries(file, { ...ENTRIES, clock });
  return Promise.resolve({
    store,
    clock,
    [Symbol.asyncDispose]: () => {
      store[Symbol.dispose]();
      file[Symbol.dispose]();
      return Promise.resolve();
    },
  });
});
