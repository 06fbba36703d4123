/** Requests that arrive slowly, against the real program. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient } from "../support/client/client.ts";
import { startService } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";
import { TcpProxy } from "../support/network/tcp_proxy.ts";

const ENTRY = { namespace: "n", key: "k" };

Deno.test("Set accepts a value that takes longer to arrive than server.grpc.timeout", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, { "server.grpc.timeout": "0.5s" });
  await using link = await TcpProxy.open({
    hostname: "127.0.0.1",
    port: Number(service.address.split(":").at(-1)),
  });
  link.throttle(250_000);
  using client = new CacheClient(`127.0.0.1:${link.port}`);
  const value = Uint8Array.from({ length: 500_000 }, (_, index) => index);
  const startMs = performance.now();
  await client.set({ ...ENTRY, value: { "type_url": "t", value } });
  assert(performance.now() - startMs > 1_000, "the link is slow");
  link.heal();
  assertEquals(new Uint8Array((await client.get(ENTRY)).value.value), value);
});
