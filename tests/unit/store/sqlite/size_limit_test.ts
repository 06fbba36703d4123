import { assert, assertEquals, assertRejects } from "@std/assert";
import { ServiceError } from "../../../../src/core/errors.ts";
import { cacheKey, secretCacheKey } from "../../../../src/core/key.ts";
import { SqliteEntries } from "../../../../src/store/sqlite/entries.ts";
import { SqliteSecrets } from "../../../../src/store/sqlite/secrets.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { ENTRIES, memoryFile } from "../../../support/sqlite/sqlite.ts";

const SIGNAL = new AbortController().signal;
const MAX_BYTES = 2 ** 20;

/** Entries in a file of at most 1 MiB. */
class Limited implements Disposable {
  readonly clock = new FakeClock();
  readonly file = memoryFile(this.clock);
  readonly entries = new SqliteEntries(this.file, { ...ENTRIES, clock: this.clock, maxBytes: MAX_BYTES });

  async set(name: string, bytes: number, ttlMs = Infinity): Promise<void> {
    const change = { value: new Uint8Array(bytes), expiresAtMs: this.clock.now() + ttlMs };
    const writing = this.entries.write(cacheKey("n", name), change, SIGNAL);
    let isDone = false;
    const done = writing.then(() => {}, () => {}).then(() => isDone = true);
    // A step of making room takes a turn each.
    for (let turns = 0; turns < 1_000 && !isDone; turns++) {
      this.clock.advance(turns === 0 ? 1 : 0);
      await Promise.race([done, Promise.resolve()]);
    }
    await writing;
  }

  async has(name: string): Promise<boolean> {
    return await this.entries.read(cacheKey("n", name), SIGNAL) !== undefined;
  }

  get bytes(): number {
    return this.file.pages.total * this.file.pages.pageBytes;
  }

  [Symbol.dispose](): void {
    this.entries[Symbol.dispose]();
    this.file[Symbol.dispose]();
  }
}

Deno.test("SqliteSizeLimit removes expired entries before the oldest", async () => {
  using limited = new Limited();
  await limited.set("oldest", 300_000);
  await limited.set("expired", 400_000, 1);
  await limited.set("newer", 200_000);
  limited.clock.advance(1);
  await limited.set("new", 300_000);
  assertEquals(
    [await limited.has("oldest"), await limited.has("newer"), await limited.has("new")],
    [true, true, true],
  );
  assert(limited.bytes <= MAX_BYTES, `${limited.bytes}`);
});

Deno.test("SqliteSizeLimit counts an entry that is written again as new", async () => {
  using limited = new Limited();
  for (const name of ["a", "b", "c", "a"]) await limited.set(name, 300_000);
  await limited.set("d", 300_000);
  assertEquals(
    [await limited.has("a"), await limited.has("b"), await limited.has("c"), await limited.has("d")],
    [true, false, true, true],
  );
});

Deno.test("SqliteSizeLimit removes many small entries for a large one, and stays below the limit", async () => {
  using limited = new Limited();
  for (let i = 0; i < 3_000; i++) await limited.set(`${i}`, 400);
  await limited.set("large", 900_000);
  assertEquals([await limited.has("0"), await limited.has("large")], [false, true]);
  assert(limited.bytes <= MAX_BYTES, `${limited.bytes}`);
});

Deno.test("SqliteSizeLimit keeps secrets, and refuses entries once these take all the room", async () => {
  using limited = new Limited();
  const secrets = new SqliteSecrets(limited.file);
  const change = { name: "n", description: "x".repeat(3_000), expires: 0, newSecretKey: "k", atMs: 0 };
  await limited.set("first", 100);
  for (let i = 0; i < 400; i++) await secrets.write(secretCacheKey(`${i}`), change, SIGNAL);
  const error = await assertRejects(
    () => limited.set("second", 100),
    ServiceError,
    "data.database.max_bytes",
  );
  assertEquals([error.code, await limited.has("first")], ["store_unavailable", false]);
  for (const i of [0, 399]) assert(await secrets.read(secretCacheKey(`${i}`), SIGNAL) !== undefined);
});
