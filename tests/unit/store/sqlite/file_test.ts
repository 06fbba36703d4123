import { DatabaseSync } from "node:sqlite";
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { ServiceError } from "../../../../src/core/errors.ts";
import { cacheKey } from "../../../../src/core/key.ts";
import { SqliteEntries } from "../../../../src/store/sqlite/entries.ts";
import type { SqliteFile } from "../../../../src/store/sqlite/file.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { ENTRIES, openFile, WAIT_MS } from "../../../support/sqlite/sqlite.ts";

const SIGNAL = new AbortController().signal;
const KEY = cacheKey("shop", "a");

/** A file that another connection may lock, its content, and whether it refuses changes. */
class Contended implements AsyncDisposable {
  readonly refusals: (string | undefined)[] = [];
  readonly other: DatabaseSync;
  readonly entries: SqliteEntries;
  readonly file: SqliteFile;
  readonly clock: FakeClock;
  readonly #folder: string;

  constructor(file: SqliteFile, clock: FakeClock, folder: string) {
    this.file = file;
    this.clock = clock;
    this.#folder = folder;
    this.entries = new SqliteEntries(file, { ...ENTRIES, clock });
    this.other = new DatabaseSync(`${folder}/cache.db`);
    file.whenRefusalChanges((refusal) => this.refusals.push(refusal?.message));
  }

  static async open(): Promise<Contended> {
    const folder = await Deno.makeTempDir();
    const clock = new FakeClock();
    return new Contended(await openFile(`${folder}/cache.db`, clock), clock, folder);
  }

  set(value: number): Promise<unknown> {
    return this.entries.write(KEY, { value: new Uint8Array([value]), expiresAtMs: Infinity }, SIGNAL);
  }

  async get(): Promise<number | undefined> {
    return (await this.entries.read(KEY, SIGNAL))?.value[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.other.close();
    this.entries[Symbol.dispose]();
    this.file[Symbol.dispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

Deno.test("SqliteFile reads while another program writes, and keeps the order of the changes that wait", async () => {
  await using contended = await Contended.open();
  const { other, clock } = contended;
  await contended.set(1);
  other.exec("BEGIN IMMEDIATE");
  const changes = [contended.set(2), contended.set(3)];
  clock.advance(WAIT_MS / 2);
  assertEquals(await contended.get(), 1);
  other.exec("ROLLBACK");
  clock.advance(25);
  await Promise.all(changes);
  assertEquals([await contended.get(), contended.refusals], [3, []]);
});

Deno.test("SqliteFile refuses a change at the time-out, never makes it, and reports the lock and its end", async () => {
  await using contended = await Contended.open();
  const { other, clock } = contended;
  other.exec("BEGIN IMMEDIATE");
  const refused = assertRejects(() => contended.set(1), ServiceError, "locked by another program");
  clock.advance(WAIT_MS);
  const { code, tier, message } = await refused;
  assertEquals([code, tier, contended.refusals], ["store_unavailable", "database", [message]]);
  other.exec("ROLLBACK");
  clock.advance(WAIT_MS);
  assertEquals(await contended.get(), undefined);
  await contended.set(2);
  assertEquals(contended.refusals, [message, undefined]);
});

Deno.test("SqliteFile.checkWritable() reports a lock and its end while there are no changes", async () => {
  await using contended = await Contended.open();
  const { file, other, clock } = contended;
  await file.checkWritable();
  assertEquals(contended.refusals, []);
  other.exec("BEGIN IMMEDIATE");
  const checking = file.checkWritable();
  clock.advance(WAIT_MS);
  await checking;
  assertEquals(contended.refusals.length, 1);
  assertNotEquals(contended.refusals[0], undefined);
  other.exec("ROLLBACK");
  const checkingAgain = file.checkWritable();
  clock.advance(25);
  await checkingAgain;
  assertEquals(contended.refusals.at(-1), undefined);
});

Deno.test("SqliteFile.checkWritable() writes nothing while changes are possible", async () => {
  await using contended = await Contended.open();
  const changesOf = () => contended.other.prepare("PRAGMA data_version").get()?.data_version;
  const before = changesOf();
  for (let i = 0; i < 3; i++) await contended.file.checkWritable();
  assertEquals(changesOf(), before);
});
