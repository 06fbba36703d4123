/** Connections that are reset before the service accepts them, as port scanners do. */
import { connect } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { CacheClient } from "../support/client/client.ts";
import { freeze } from "../support/servers/process.ts";
import { startService } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";

/** A pause of a tenth of a second for each would take ten seconds. */
const CONNECTIONS = 100;
const MAX_MS = 3_000;

/** Connects, and resets the connection instead of closing it. */
function connectAndReset(address: string): Promise<void> {
  const [host = "", port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) }, () => socket.resetAndDestroy());
    socket.once("close", () => resolve());
    socket.once("error", reject);
  });
}

Deno.test("connections that are reset before they are accepted do not delay others and are not logged", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  freeze(service.pid);
  for (let i = 0; i < CONNECTIONS; i++) {
    await connectAndReset(service.httpAddress);
    await connectAndReset(service.address);
  }
  service.signal("SIGCONT");
  const startMs = performance.now();
  const response = await fetch(`http://${service.httpAddress}/healthz`);
  assertEquals(await response.text(), "ok\n");
  using client = new CacheClient(service.address);
  assertEquals(await client.health(""), "SERVING");
  const tookMs = performance.now() - startMs;
  assert(tookMs < MAX_MS, `${tookMs} ms`);
  assertEquals(service.log.filter(({ level }) => level !== "info"), []);
});
