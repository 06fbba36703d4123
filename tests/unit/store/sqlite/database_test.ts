import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ServiceError } from "../../../../src/core/errors.ts";
import { cacheKey, secretCacheKey } from "../../../../src/core/key.ts";
import { SqliteEntries } from "../../../../src/store/sqlite/entries.ts";
import { SqliteSecrets } from "../../../../src/store/sqlite/secrets.ts";
import { ENTRIES, memoryFile, openFile } from "../../../support/sqlite/sqlite.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

const SIGNAL = new AbortController().signal;
const KEY = cacheKey("shop", "a");
const SECRET = secretCacheKey("alice");
const CHANGE = { name: "n", description: "", expires: 0, newSecretKey: "k", atMs: 0 };

async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("SqliteDatabase makes the missing folders and keeps entries and secrets across a restart", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/new/deeper/cache.db`;
    const value = new Uint8Array([1, 2, 3]);
    {
      using file = await openFile(path);
      using entries = new SqliteEntries(file, { ...ENTRIES, clock: new FakeClock() });
      await entries.write(KEY, { value, expiresAtMs: Infinity }, SIGNAL);
      await new SqliteSecrets(file).write(SECRET, CHANGE, SIGNAL);
    }
    using file = await openFile(path);
    using entries = new SqliteEntries(file, { ...ENTRIES, clock: new FakeClock() });
    assertEquals((await entries.read(KEY, SIGNAL))?.value, value);
    assertEquals((await new SqliteSecrets(file).read(SECRET, SIGNAL))?.value.secretKey, "k");
  });
});

Deno.test("SqliteDatabase creates files that other users cannot read", async () => {
  await inFolder(async (folder) => {
    using _file = await openFile(`${folder}/cache.db`);
    const modes = [...Deno.readDirSync(folder)].map(({ name }) => {
      return [name, (Deno.statSync(`${folder}/${name}`).mode ?? 0) & 0o777] as const;
    });
    assertEquals(Object.fromEntries(modes), {
      "cache.db": 0o600,
      "cache.db.lock": 0o600,
      "cache.db.reserve": 0o600,
      "cache.db-shm": 0o600,
      "cache.db-wal": 0o600,
    });
  });
});

Deno.test("SqliteDatabase waits for the disk at each commit", async () => {
  await inFolder(async (folder) => {
    using file = await openFile(`${folder}/cache.db`);
    const setting = (name: string) => Object.values(file.statement(`PRAGMA ${name}`).rows()[0] ?? {})[0];
    assertEquals([setting("journal_mode"), setting("synchronous")], ["wal", 2]);
  });
});

Deno.test("SqliteDatabase names the file it cannot open, and what to do, in one line", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const path = `${folder}/file/cache.db`;
    const error = await assertRejects(() => openFile(path), ServiceError, path);
    assertEquals(error.code, "store_unavailable");
    assertStringIncludes(error.message, "is a file, not a folder; name another file");
    assert(!error.message.includes("\n"));
  });
});

Deno.test("SqliteDatabase refuses a file that is not a database", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/cache.db`;
    await Deno.writeTextFile(
      path,
      "not a database, but long enough to be taken for the header of one".repeat(20),
    );
    await assertRejects(() => openFile(path), ServiceError, "it is no SQLite database");
  });
});

Deno.test("SqliteDatabase refuses a file of a later release and leaves it as it is", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/cache.db`;
    {
      using file = await openFile(path);
      file.statement("PRAGMA user_version = 99").run();
    }
    const error = await assertRejects(() => openFile(path), ServiceError, "version 99");
    assertStringIncludes(error.message, "use the release that wrote it or a later one");
    await assertRejects(() => openFile(path), ServiceError, "version 99");
  });
});

Deno.test("SqliteEntries and SqliteSecrets reject with store_unavailable once the database is closed", async () => {
  const file = memoryFile(new FakeClock());
  using entries = new SqliteEntries(file, { ...ENTRIES, clock: new FakeClock() });
  const secrets = new SqliteSecrets(file);
  file[Symbol.dispose]();
  for (const use of [() => entries.read(KEY, SIGNAL), () => secrets.write(SECRET, CHANGE, SIGNAL)]) {
    const error = await assertRejects(use, ServiceError);
    assertEquals([error.code, error.tier], ["store_unavailable", "database"]);
    assert(error.cause instanceof Error);
  }
});

Deno.test("SqliteEntries begins nothing for a caller that has left", async () => {
  using file = memoryFile(new FakeClock());
  using entries = new SqliteEntries(file, { ...ENTRIES, clock: new FakeClock() });
  const change = { value: new Uint8Array(1), expiresAtMs: Infinity };
  await assertRejects(() => entries.write(KEY, change, AbortSignal.abort()), ServiceError);
  assertEquals(await entries.read(KEY, SIGNAL), undefined);
});
