/** The program as an operator runs it: from the start to the exit code. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { startRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { type RunningService, serveArguments, startService } from "../support/service/service.ts";
import { embeddedProfile, serversProfile } from "../support/service/profile.ts";
import { spawnProgram } from "../support/service/program.ts";
import { waitFor } from "../support/wait_for.ts";

const ENTRY = { namespace: "n", key: "k" };
const VALUE = { "type_url": "t", value: new TextEncoder().encode("value") };

/** A drain with nothing to wait for takes no longer, also on a machine that is busy. */
const PROMPT_MS = 2_000;

async function endsPromptly(service: RunningService): Promise<void> {
  const startMs = performance.now();
  assertEquals(await service.ended(), 0);
  const tookMs = performance.now() - startMs;
  assert(tookMs < PROMPT_MS, `ended after ${tookMs} ms, expected less than ${PROMPT_MS}`);
  const events = service.log.map(({ event }) => event);
  assertEquals(events.filter((event) => event === "draining" || event === "stopped"), [
    "draining",
    "stopped",
  ]);
  assertEquals(service.errors, []);
}

Deno.test("serve logs the port that it really listens on, and nothing to standard error", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  assertMatch(service.address, /^127\.0\.0\.1:[1-9]\d*$/);
  using client = new CacheClient(service.address);
  assertEquals(await client.health(""), "SERVING");
  const { level, tiers } = await service.logged("serving");
  assertEquals([level, tiers], ["info", "local database"]);
  assertEquals(service.errors, []);
});

Deno.test("serve survives an unhandled rejection, and logs it", async () => {
  await using profile = await embeddedProfile();
  const programOptions = { ...profile.programOptions, main: "tests/integration/rejecting_main.ts" };
  await using service = await startService({ ...profile, programOptions });
  service.signal("SIGUSR1");
  const { level, error } = await service.logged("rejection_unhandled");
  assertEquals([level, error], ["error", "no handler"]);
  using client = new CacheClient(service.address);
  assertEquals(await client.health(""), "SERVING");
});

Deno.test("serve on an IPv6 address logs it in brackets", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, { "server.grpc.addr": "[::1]:0" });
  assertMatch(service.address, /^\[::1\]:[1-9]\d*$/);
  using client = new CacheClient(service.address);
  assertEquals(await client.health(""), "SERVING");
});

for (const [how, end] of [["SIGTERM", "stop"], ["kill -9", "kill"]] as const) {
  Deno.test(`embedded entries and secrets survive ${how}`, async () => {
    await using profile = await embeddedProfile();
    await using first = await startService(profile);
    using client = new CacheClient(first.address);
    await client.setSecret({ key: "alice", name: "n", expire: { seconds: 600 } });
    await client.set({ ...ENTRY, key: "deleted", value: VALUE });
    await client.delete({ ...ENTRY, key: "deleted" });
    await client.set({ ...ENTRY, value: VALUE, expire: { seconds: 600 } });
    const secret = await client.getSecret({ key: "alice" });
    await first[end]();

    await using second = await startService(profile);
    using other = new CacheClient(second.address);
    const { value, expire } = await other.get(ENTRY);
    assertEquals(new Uint8Array(value.value), VALUE.value);
    assert(expire !== null && expire.seconds >= 500 && expire.seconds < 600);
    assertEquals(await other.getSecret({ key: "alice" }), secret);
    assertEquals((await refusal(other.get({ ...ENTRY, key: "deleted" }))).reason, "KEY_NOT_FOUND");
  });
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  Deno.test(`${signal} drains at once while clients are connected and watch its health`, async () => {
    await using profile = await embeddedProfile();
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    await client.set({ ...ENTRY, value: VALUE });
    const statuses: string[] = [];
    const watch = client.watchHealth("");
    const ended = new Promise((resolve) => watch.once("error", resolve));
    watch.on("data", ({ status }) => statuses.push(status));
    await waitFor(() => statuses.length > 0, { what: "the watch's first answer" });
    service.signal(signal);
    await endsPromptly(service);
    await ended;
    assertEquals(statuses, ["SERVING", "NOT_SERVING"]);
    assertEquals((await service.logged("draining")).signal, signal);
  });
}

Deno.test("SIGHUP drains though the terminal is gone: what cannot be logged ends nothing", async () => {
  await using profile = await embeddedProfile();
  const process = spawnProgram(serveArguments(profile, { "log.level": "debug" }), profile.programOptions);
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let log = "";
  while (!/"event":"serving".*\n/.test(log)) log += (await lines.read()).value!;
  const address = /"event":"serving","address":"([^"]+)"/.exec(log)![1]!;
  await Promise.all([lines.cancel(), process.stderr.cancel()]);
  using client = new CacheClient(address);
  // At level debug each call would write a line.
  await client.set({ ...ENTRY, value: VALUE });
  assertEquals(new Uint8Array((await client.get(ENTRY)).value.value), VALUE.value);
  const ended = new Promise((resolve) => client.watchHealth("").once("error", resolve).resume());
  assertEquals(await client.health(""), "SERVING");
  process.kill("SIGHUP");
  await ended;
  assertEquals((await process.status).code, 0);
});

/** What `/readyz` says: its status code, and the word in its answer. */
async function readiness(service: RunningService): Promise<[number, string]> {
  const response = await fetch(`http://${service.httpAddress}/readyz`);
  return [response.status, (await response.json()).status];
}

Deno.test("a drain is announced for server.drain_delay, and calls are taken meanwhile", async () => {
  const delayMs = 1_500;
  await using profile = await embeddedProfile();
  await using service = await startService(profile, { "server.drain_delay": `${delayMs}ms` });
  using watcher = new CacheClient(service.address);
  const statuses: string[] = [];
  const watch = watcher.watchHealth("");
  const watchEnded = new Promise((resolve) => watch.once("error", resolve));
  watch.on("data", ({ status }) => statuses.push(status));
  await waitFor(() => statuses.length > 0, { what: "the watch's first answer" });
  const startMs = performance.now();
  service.signal("SIGTERM");
  const { delay_ms: loggedDelayMs } = await service.logged("draining");
  assertEquals(loggedDelayMs, delayMs);
  assertEquals(await readiness(service), [503, "draining"]);
  // As a balancer that has not noticed yet: over a new connection.
  using late = new CacheClient(service.address);
  assertEquals(await late.health(""), "NOT_SERVING");
  assertEquals(await late.health("cacheserver.v1.CacheServer"), "NOT_SERVING");
  await late.set({ ...ENTRY, value: VALUE });
  assertEquals(new Uint8Array((await late.get(ENTRY)).value.value), VALUE.value);
  assertEquals(statuses, ["SERVING", "NOT_SERVING"]);
  assertEquals(await service.ended(), 0);
  const tookMs = performance.now() - startMs;
  assert(tookMs >= delayMs && tookMs < delayMs + PROMPT_MS, `ended after ${tookMs} ms`);
  await watchEnded;
  assertEquals(service.errors, []);
});

Deno.test("a second signal ends server.drain_delay at once, with the exit code of that signal", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, { "server.drain_delay": "10m" });
  service.signal("SIGHUP");
  await service.logged("draining");
  const code = await endedBySignals(service, "SIGINT");
  assertEquals(code, 130);
  assertEquals(service.errors, ["cacheserver: SIGINT during the drain that SIGHUP began: ended at once"]);
});

/**
 * Sends a signal until the process has ended, and resolves to its exit code. The first ones may come so soon after the
 * one before them that they count as the same.
 */
async function endedBySignals(service: RunningService, signal: Deno.Signal): Promise<number> {
  let isOver = false;
  const code = service.ended().finally(() => isOver = true);
  await waitFor(() => {
    if (!isOver) service.signal(signal);
    return isOver;
  }, { what: "the process to end", intervalMs: 100 });
  return await code;
}

Deno.test("a doubled Ctrl-C is one: it drains", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  service.signal("SIGINT");
  service.signal("SIGINT");
  await endsPromptly(service);
});

testWithServers(["mysql"], "SIGTERM lets a call in flight end, and refuses new ones", async ({ mysql }) => {
  await using redis = await startRedis();
  await using profile = await serversProfile({ mysql, redis });
  await using service = await startService(profile);
  using client = new CacheClient(service.address);
  await client.set({ ...ENTRY, key: "other", value: VALUE });
  redis.pause();
  const call = refusal(client.get(ENTRY));
  // Sent on the same connection after the call: once this is answered, the call has arrived.
  await client.health("");
  service.signal("SIGTERM");
  await service.logged("draining");
  using late = new CacheClient(service.address);
  assertEquals((await refusal(late.health(""))).code, "UNAVAILABLE");
  redis.resume();
  assertEquals((await call).reason, "KEY_NOT_FOUND");
  await endsPromptly(service);
});

testWithServers(
  ["mysql"],
  "a call that outlasts the drain time-out is cut off, exit code 0",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using service = await startService(profile, { "server.grpc.drain_timeout": "0.2s" });
    using client = new CacheClient(service.address);
    redis.pause();
    const call = refusal(client.get(ENTRY));
    await client.health("");
    service.signal("SIGTERM");
    await endsPromptly(service);
    assertMatch((await call).code, /^(UNAVAILABLE|CANCELLED)$/);
  },
);

testWithServers(["mysql"], "a second signal ends a drain that waits for a call", async ({ mysql }) => {
  await using redis = await startRedis();
  await using profile = await serversProfile({ mysql, redis });
  await using service = await startService(profile);
  using client = new CacheClient(service.address);
  redis.pause();
  const call = refusal(client.get(ENTRY));
  await client.health("");
  service.signal("SIGTERM");
  await service.logged("draining");
  assertEquals(await endedBySignals(service, "SIGTERM"), 143);
  await call;
});
