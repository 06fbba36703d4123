import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ServiceError } from "../../../../src/core/errors.ts";
import { LOCK_WAIT_MS, SqliteLock } from "../../../../src/store/sqlite/lock.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { turn } from "../../../support/turn.ts";

const OWNER = "process 12 on host db-1";

/** A folder with an empty file as the database. */
async function withFile(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/cache.db`, "");
    await test(`${folder}/cache.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The error text of a lock that another process holds, after the wait. */
async function refusalOf(path: string): Promise<string> {
  const clock = new FakeClock();
  const taking = assertRejects(
    () => SqliteLock.take(path, { clock, owner: "process 13 on host db-2" }),
    ServiceError,
  );
  await turn();
  clock.advance(LOCK_WAIT_MS);
  return (await taking).message;
}

Deno.test("SqliteLock.take() waits, then names the process that has the file", async () => {
  await withFile(async (path) => {
    const lock = await SqliteLock.take(path, { clock: new FakeClock(), owner: OWNER });
    assertStringIncludes(
      await refusalOf(path),
      `Cannot open the database file ${path}: ${OWNER} has it; stop that one`,
    );
    lock[Symbol.dispose]();
    // The abandoned wait ends now, and must release the lock that it gets.
    using _next = await SqliteLock.take(path, { clock: new FakeClock(), owner: OWNER });
  });
});

Deno.test("SqliteLock.take() gets the file as soon as it is released, and leaves no timer", async () => {
  await withFile(async (path) => {
    const clock = new FakeClock();
    const first = await SqliteLock.take(path, { clock, owner: OWNER });
    const taking = SqliteLock.take(path, { clock, owner: OWNER });
    await turn();
    first[Symbol.dispose]();
    using _second = await taking;
    assertEquals(clock.pendingTimers, 0);
  });
});

Deno.test("SqliteLock.take() locks a file that a symbolic link leads to", async () => {
  await withFile(async (path) => {
    await Deno.symlink(path, `${path}.link`);
    const lock = await SqliteLock.take(path, { clock: new FakeClock(), owner: OWNER });
    assertStringIncludes(await refusalOf(`${path}.link`), OWNER);
    lock[Symbol.dispose]();
  });
});

Deno.test("SqliteLock.take() quotes nothing of a file that it did not write", async () => {
  await withFile(async (path) => {
    const lock = await SqliteLock.take(path, { clock: new FakeClock(), owner: OWNER });
    await Deno.writeTextFile(`${path}.lock`, "\x1b[31mwhat another program wrote");
    assertStringIncludes(await refusalOf(path), ": another process has it;");
    lock[Symbol.dispose]();
  });
});
