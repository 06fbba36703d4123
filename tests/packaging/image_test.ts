/** The Dockerfile, carried out step by step, makes an image whose program serves, keeps its data and drains. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CacheClient } from "../support/client/client.ts";
import { freePort } from "../support/network/free_port.ts";
import { chooseBuilder } from "./compile_step.ts";
import { type Container, containerOf } from "./container.ts";
import { readDockerfile } from "./dockerfile.ts";
import { buildImage, filesBelow } from "./image_build.ts";

const DOCKERFILE = readDockerfile();
const LAST = DOCKERFILE.stages.at(-1)!;

function textOf(keyword: string): string {
  return LAST.steps.findLast((step) => step.keyword === keyword)!.text;
}

/** The paths of the image's files with their sizes and times, but for what lies in the volume. */
async function footprint(root: string): Promise<string[]> {
  const paths = (await filesBelow(root, "/")).filter((path) => !path.startsWith(`${textOf("VOLUME")}/`));
  return await Promise.all(
    paths.sort().map(async (path) => {
      const { size, mtime } = await Deno.stat(root + path);
      return `${path} ${size} ${mtime?.getTime()}`;
    }),
  );
}

/** Behind --build-arg. */
const REVISION = "0123456789ab";

/** Titles of the step, so that a run without compiling is not taken for more than it is. */
const TITLES = {
  compiled: "with the compiled program",
  launcher:
    "NOT COMPILED: this Deno cannot load the runtime that it compiles with; with a script in its stead",
} as const;

Deno.test("Dockerfile makes an image that serves, writes to its volume only, drains and finds its data again", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-image-" });
  try {
    // The image's user is to get into it.
    await Deno.chmod(folder, 0o755);
    const builder = await chooseBuilder(folder);
    await t.step(TITLES[builder.kind], async () => {
      const image = await buildImage(DOCKERFILE, {
        folder,
        builder,
        arguments: new Map([["REVISION", REVISION]]),
      });
      const container = await containerOf(image, textOf("USER"), builder.kind);
      const before = await footprint(image.root);
      const version = await container.run([...image.entrypoint, "version"], {});
      if (builder.kind === "compiled") {
        assertStringIncludes(new TextDecoder().decode(version.stdout), `commit ${REVISION}`);
      }
      await serveTwice(container, image.healthcheck);
      assertEquals(await footprint(image.root), before);
      assert((await Deno.stat(`${image.root}${textOf("VOLUME")}/cacheserver.db`)).size > 0);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Writes on the first run, and reads on both. Healthy is what serves. */
async function serveTwice(container: Container, healthcheck: readonly string[]): Promise<void> {
  const address = `127.0.0.1:${freePort()}`;
  const env = { CACHESERVER_SERVER_GRPC_ADDR: address, CACHESERVER_SERVER_HTTP_ADDR: "127.0.0.1:0" };
  const name = { namespace: "image", key: "k" };
  let secretKey = "";
  for (const start of ["first", "second"]) {
    await using service = container.serve(env);
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
    assertEquals((await container.run(healthcheck, env)).code, 0, start);
    assertEquals([await service.stop(), service.errors], [0, []], start);
    assertEquals((await container.run(healthcheck, env)).code, 1, start);
  }
}
