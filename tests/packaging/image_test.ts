/** A container of the image serves, keeps its data and drains. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CacheClient } from "../support/client/client.ts";
import { freePort } from "../support/network/free_port.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { Container } from "./container.ts";
import { builtImage, REVISION } from "./image.ts";

/** `server.grpc.drain_timeout` by default. */
const DRAIN_TIMEOUT_MS = 10_000;

testWithServers(
  ["images"],
  "the image serves, writes to its volume only, drains and finds its data again",
  async ({ images }) => {
    const { buildah, name: image, config } = await builtImage(images);
    await using container = await Container.of(buildah, image);
    // This is like --read-only: the user may not write elsewhere.
    const empty = await Deno.makeTempDir({ dir: images });
    const binds = { "/tmp": empty, "/var/tmp": empty };
    const version = await container.run([...config.Entrypoint, "version"], { binds });
    assertStringIncludes(version.stdout, `commit ${REVISION}`);
    const before = await container.files("%P %s %T@");

    const health = config.Healthcheck.Test.slice(1);
    const address = `127.0.0.1:${freePort()}`;
    const env = { CACHESERVER_SERVER_GRPC_ADDR: address, CACHESERVER_SERVER_HTTP_ADDR: "127.0.0.1:0" };
    const name = { namespace: "image", key: "k" };
    let secretKey = "";
    for (const start of ["first", "second"]) {
      await using service = container.serve([...config.Entrypoint, ...config.Cmd], { env, binds });
      await service.logged("serving");
      using client = new CacheClient(address);
      if (start === "first") {
        const value = { "type_url": "type.googleapis.com/test", value: new Uint8Array([1, 2, 3]) };
        await client.set({ ...name, value });
        await client.setSecret({ key: "s", name: "S" });
        secretKey = (await client.getSecret({ key: "s" })).secretKey;
      }
      assertEquals([...(await client.get(name)).value.value], [1, 2, 3], start);
      assertEquals((await client.getSecret({ key: "s" })).secretKey, secretKey, start);
      assertEquals((await container.run(health, { env, binds })).code, 0, start);

      const asked = performance.now();
      assertEquals([await service.stop(), service.errors], [0, []], start);
      assert(performance.now() - asked < DRAIN_TIMEOUT_MS, start);
      assertEquals(service.log.slice(-2).map(({ event }) => event), ["draining", "stopped"], start);
      assertEquals((await container.run(health, { env, binds })).code, 1, start);
    }
    assertEquals(await container.files("%P %s %T@"), before);
  },
);
