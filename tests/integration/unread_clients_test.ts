/** Clients that do not read their answers, against the real program: their sockets are bounded and closed in time. */
import { assert, assertEquals } from "@std/assert";
import type { RawClient } from "../protocol/raw_client.ts";
import { CacheClient } from "../support/client/client.ts";
import { type RunningService, startService } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";
import { askWithoutReading, openSockets, storeLargeEntry } from "../support/client/unread_client.ts";
import { waitFor } from "../support/wait_for.ts";

/** A socket over the limit exists from its acceptance until its refusal. */
const ACCEPTING = 1;

/** Stores a value to read; resolves to the number of sockets of a service without clients. */
async function prepared(service: RunningService): Promise<number> {
  const withoutClients = await openSockets(service.pid);
  using client = new CacheClient(service.address);
  await storeLargeEntry(client);
  client[Symbol.dispose]();
  await waitFor(async () => await openSockets(service.pid) === withoutClients, {
    what: "the client's socket to close",
  });
  return withoutClients;
}

for (const limit of ["max_connections", "max_connections_per_address"] as const) {
  Deno.test(`clients that do not read hold no socket beyond ${limit}, however often they return`, async () => {
    await using profile = await embeddedProfile();
    await using service = await startService(profile, {
      [`server.grpc.limits.${limit}`]: "12",
      "server.grpc.limits.stalled_output_timeout": "0.2s",
    });
    const withoutClients = await prepared(service);
    const hostile: RawClient[] = [];
    let most = 0;
    try {
      // Each wave comes when the time-out has ended the one before.
      for (let wave = 0; wave < 5; wave++) {
        for (let i = 0; i < 12; i++) hostile.push(await askWithoutReading(service.address));
        const nextAtMs = performance.now() + 1_500;
        await waitFor(async () => {
          most = Math.max(most, await openSockets(service.pid) - withoutClients);
          return performance.now() > nextAtMs;
        }, { what: "the next wave" });
      }
      assert(most >= 12 && most <= 12 + ACCEPTING, `${most} sockets were open, expected at most 12`);
    } finally {
      for (const client of hostile) client[Symbol.dispose]();
    }
    await waitFor(async () => await openSockets(service.pid) === withoutClients, {
      what: "the sockets to be closed",
    });
    using honest = new CacheClient(service.address);
    assertEquals(await honest.health(""), "SERVING");
  });
}

Deno.test("SIGTERM ends the service within drain_timeout and a second even if clients do not read", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, { "server.grpc.drain_timeout": "1s" });
  await prepared(service);
  using _stuck = await askWithoutReading(service.address);
  using _other = await askWithoutReading(service.address);
  using honest = new CacheClient(service.address);
  assertEquals(await honest.health(""), "SERVING");
  service.signal("SIGTERM");
  await service.logged("draining");
  const startMs = performance.now();
  assertEquals(await service.ended(), 0);
  const tookMs = performance.now() - startMs;
  assert(tookMs < 2_000, `ended after ${Math.round(tookMs)} ms`);
  assertEquals(service.log.at(-1)?.event, "stopped");
  assertEquals(service.errors, []);
});
