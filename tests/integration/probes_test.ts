/** What probes of containers and load balancers see of the service, over a real socket. */
import { DatabaseSync } from "node:sqlite";
import { assertEquals, assertMatch } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { startRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { type RunningService, startService } from "../support/service/service.ts";
import { embeddedProfile, serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

/** The status of an answer, and its body: as JSON where it is. */
async function probed(service: RunningService, path: string, init?: RequestInit): Promise<[number, unknown]> {
  const response = await fetch(`http://${service.httpAddress}${path}`, init);
  const body = await response.text();
  return [response.status, body.startsWith("{") ? JSON.parse(body) : body];
}

Deno.test("serve answers /healthz, /readyz and nothing else on the HTTP port that it logs", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  assertMatch(service.httpAddress, /^127\.0\.0\.1:[1-9]\d*$/);
  assertEquals(await probed(service, "/healthz"), [200, "ok\n"]);
  assertEquals(await probed(service, "/readyz"), [
    200,
    { status: "ready", tiers: { local: "up", database: "up" } },
  ]);
  assertEquals((await probed(service, "/"))[0], 404);
  const large = new Uint8Array(1 << 20);
  assertEquals((await probed(service, "/readyz", { method: "POST", body: large }))[0], 405);
  assertEquals(await service.stop(), 0);
  assertEquals(service.errors, []);
});

Deno.test("/readyz says 503 while the embedded store cannot be written", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  using other = new DatabaseSync(String(profile.settings["data.database.source"]));
  other.exec("BEGIN IMMEDIATE");
  await waitFor(async () => (await probed(service, "/readyz"))[0] === 503, { what: "503" });
  assertEquals(await probed(service, "/readyz"), [
    503,
    { status: "unavailable", tiers: { local: "up", database: "read_only" } },
  ]);
  assertEquals((await probed(service, "/healthz"))[0], 200);
  other.exec("ROLLBACK");
  await waitFor(async () => (await probed(service, "/readyz"))[0] === 200, { what: "200" });
});

Deno.test("a client that never finishes its request does not keep the service from ending", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  const [hostname, port] = service.httpAddress.split(":");
  const unfinished = [
    "GET /readyz HTTP/1.1\r\nhost:",
    "POST /readyz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nand no more",
  ];
  using clients = new DisposableStack();
  for (const request of unfinished) {
    const client = clients.use(await Deno.connect({ hostname: hostname!, port: Number(port) }));
    await client.write(new TextEncoder().encode(request));
  }
  // Behind it in the order of arrival.
  assertEquals((await probed(service, "/healthz"))[0], 200);
  assertEquals(await service.stop(), 0);
});

testWithServers(
  ["mysql"],
  "/readyz says 503 while a drain waits, and tiers as they are",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using service = await startService(profile);
    const up = { local: "up", redis: "up", database: "up" };
    assertEquals(await probed(service, "/readyz"), [200, { status: "ready", tiers: up }]);
    using client = new CacheClient(service.address);
    redis.pause();
    const call = refusal(client.get({ namespace: "n", key: "k" }));
    // Sent on the same connection after the call: once this is answered, the call has arrived.
    await client.health("");
    service.signal("SIGTERM");
    await service.logged("draining");
    const [status, report] = await probed(service, "/readyz");
    assertEquals([status, (report as { status: string }).status], [503, "draining"]);
    assertEquals((await probed(service, "/healthz"))[0], 200);
    redis.resume();
    assertEquals((await call).reason, "KEY_NOT_FOUND");
    assertEquals(await service.ended(), 0);
  },
);

testWithServers(["mysql"], "/readyz stays 200 while Redis is away: secrets are served", async ({ mysql }) => {
  await using redis = await startRedis();
  await using profile = await serversProfile({ mysql, redis });
  await using service = await startService(profile);
  redis.pause();
  await service.logged("tier_down");
  assertEquals(await probed(service, "/readyz"), [
    200,
    { status: "ready", tiers: { local: "up", redis: "down", database: "up" } },
  ]);
  redis.resume();
});
