/** Another program holds the write lock of the embedded database: only changes wait, and only for a bounded time. */
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals } from "@std/assert";
import { CacheClient, expectUnavailable, refusal } from "../support/client/client.ts";
import { startService } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const TIMEOUT_MS = 1_000;

/** Far below the second for which SQLite could block, and above the pauses of a busy machine. */
const PROMPT_MS = 400;

function name(key: string): { readonly namespace: string; readonly key: string } {
  return { namespace: "n", key };
}

function value(byte: number): { readonly type_url: string; readonly value: Uint8Array } {
  return { "type_url": "t", value: new Uint8Array([byte]) };
}

/** How long `work` takes, in ms. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

Deno.test("another program's write lock delays only changes, and they fail in time", async () => {
  await using profile = await embeddedProfile();
  const set = { "server.grpc.timeout": `${TIMEOUT_MS}ms`, "cache.defaults.local_ttl": "1h" };
  await using service = await startService(profile, set);
  using client = new CacheClient(service.address);
  using other = new CacheClient(service.address);
  await client.set({ ...name("in memory"), value: value(1) });
  await client.set({ ...name("contended"), value: value(1) });
  const http = `http://${service.httpAddress}`;
  const locker = new DatabaseSync(String(profile.settings["data.database.source"]));
  try {
    locker.exec("BEGIN IMMEDIATE");
    const beganMs = performance.now();
    const sets = Array.from({ length: 20 }, async (_, i) => {
      const set = client.set({ ...name(i === 0 ? "contended" : `${i}`), value: value(2) });
      await expectUnavailable(set, "database");
      return performance.now() - beganMs;
    });
    let isOver = false;
    const refused = Promise.all(sets).finally(() => isOver = true);
    const worstMs = { memory: 0, file: 0, healthz: 0 };
    const note = (what: keyof typeof worstMs, ms: number) => worstMs[what] = Math.max(worstMs[what], ms);
    while (!isOver) {
      note("memory", await timed(() => other.get(name("in memory"))));
      note("file", await timed(() => refusal(other.get(name("not there")))));
      note("healthz", await timed(async () => await (await fetch(`${http}/healthz`)).text()));
    }
    const slowestMs = Math.max(...await refused);
    assert(slowestMs < TIMEOUT_MS + PROMPT_MS, `a Set took ${slowestMs} ms`);
    for (const [what, ms] of Object.entries(worstMs)) assert(ms < PROMPT_MS, `${what} took ${ms} ms`);
  } finally {
    locker.close();
  }
  // Refused changes are not executed after the lock is released.
  await client.set({ ...name("later"), value: value(3) });
  assertEquals([...(await other.get(name("contended"))).value.value], [1]);
});

Deno.test("changes that wait for another program's lock succeed in the order in which they came", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  using client = new CacheClient(service.address);
  await client.set({ ...name("k"), value: value(0) });
  const locker = new DatabaseSync(String(profile.settings["data.database.source"]));
  try {
    locker.exec("BEGIN IMMEDIATE");
    const sets = Array.from({ length: 30 }, (_, i) => client.set({ ...name("k"), value: value(i) }));
    const last = client.setSecret({ key: "alice", name: "n" });
    // Sent later on the same connection: once this is answered, the calls above have arrived.
    await client.health("");
    locker.exec("ROLLBACK");
    await Promise.all([...sets, last]);
  } finally {
    locker.close();
  }
  assertEquals([...(await client.get(name("k"))).value.value], [29]);
});

Deno.test("/readyz, health and the log report that the file is locked, and that it is free again", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  using client = new CacheClient(service.address);
  const readyz = async () => await (await fetch(`http://${service.httpAddress}/readyz`)).json();
  const locker = new DatabaseSync(String(profile.settings["data.database.source"]));
  try {
    locker.exec("BEGIN IMMEDIATE");
    const { tier, error } = await service.logged("tier_read_only");
    assertEquals(tier, "database");
    assert(String(error).includes("locked by another program"), String(error));
    assertEquals(await readyz(), { status: "unavailable", tiers: { local: "up", database: "read_only" } });
    assertEquals(await client.health("database"), "NOT_SERVING");
    assertEquals(await client.health(""), "SERVING");
    locker.exec("ROLLBACK");
    await waitFor(async () => (await readyz()).status === "ready", { what: "ready" });
    assertEquals(await client.health("database"), "SERVING");
    assertEquals(service.log.filter(({ event }) => event === "tier_read_only").length, 1);
  } finally {
    locker.close();
  }
});
