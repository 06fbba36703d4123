/** The image that buildah makes of the Dockerfile agrees with the program, its configuration and the repository. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { loadConfig } from "../../src/config/load.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { baseImageNames } from "./base_images.ts";
import { commandOutput } from "./command_output.ts";
import { Container } from "./container.ts";
import { addedMegabytes, builtImage, contextImage, type Image, PLANTED, REVISION } from "./image.ts";
import { knownCommands, unknownVariables } from "./program_names.ts";
import { documents, REPOSITORY } from "./repository.ts";

const DOCKERFILE = Deno.readTextFileSync(new URL("Dockerfile", REPOSITORY));

/** Registers a test of the image and of a container in which nothing has run yet. */
function testImage(title: string, test: (image: Image, container: Container) => unknown): void {
  testWithServers(["images"], title, async ({ images }) => {
    const image = await builtImage(images);
    await using container = await Container.of(image.buildah, image.name);
    await test(image, container);
  });
}

function variables({ config }: Image): ReadonlyMap<string, string> {
  return new Map(config.Env.map((text) => /^(\w+)=(.*)$/.exec(text)!.slice(1) as [string, string]));
}

/** The configuration in the image's files that the image starts with. */
function imageConfig(image: Image, { root }: Container): ReturnType<typeof loadConfig>["config"] {
  const path = variables(image).get("CACHESERVER_CONFIG");
  return loadConfig({ path: `${root}${path}`, env: { get: () => undefined } }).config;
}

testImage("Dockerfile builds without a warning", ({ log }) => {
  assertMatch(log, /STEP \d+\/\d+: CMD \["serve"\]/);
  assertEquals(log.split("\n").filter((line) => /\[warning\]|level=warn/i.test(line)), []);
});

testImage("Dockerfile takes every base image from an argument whose default is pinned", ({ log }) => {
  assertEquals(DOCKERFILE.match(/^FROM .*/gm)?.map((line) => /^FROM \$\{\w+\}(?: AS \w+)?$/.test(line)), [
    true,
    true,
  ]);
  const used = [...log.matchAll(/STEP \d+\/\d+: FROM (\S+)/g)].map(([, name]) => name!);
  assertEquals(used, Object.values(baseImageNames()));
  for (const name of used) {
    assertMatch(name, /^[\w.\/-]+(?::(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/);
  }
});

Deno.test("Dockerfile uses no variable that it does not declare", () => {
  const [before, ...stages] = DOCKERFILE.split(/^FROM /m);
  const declared = (text: string) => [...text.matchAll(/^(?:ARG|ENV) (\w+)/gm)].map(([, name]) => name!);
  const used = (text: string) => [...text.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!);
  for (const stage of stages) {
    const [from = "", ...steps] = stage.split("\n");
    assertEquals(used(from).filter((name) => !declared(before!).includes(name)), []);
    assertEquals(used(steps.join("\n")).filter((name) => !declared(stage).includes(name)), []);
  }
});

testImage("Dockerfile builds with the Deno that CI runs", async ({ log }) => {
  const ci = await Deno.readTextFile(new URL(".ci/run", REPOSITORY));
  const [, version] = /^readonly DENO_VERSION=(\S+)$/m.exec(ci) ?? [];
  assertMatch(log, new RegExp(`FROM denoland/deno:${version} AS build`));
});

testImage(
  "Dockerfile sets the OCI labels, with the program's version and license",
  ({ config }) => {
    const prefix = "org.opencontainers.image.";
    const labels = Object.entries(config.Labels).filter(([name]) => name.startsWith(prefix));
    assertEquals(Object.fromEntries(labels.map(([name, value]) => [name.slice(prefix.length), value])), {
      title: "CacheServer",
      description: "A three-tier cache (local memory, Redis, MySQL) behind gRPC",
      licenses: manifest.license,
      source: "",
      version: manifest.version,
      revision: REVISION,
    });
  },
);

testImage("the image adds the program and its configuration to the base image", async (image, container) => {
  await using base = await Container.of(image.buildah, baseImageNames().run);
  const inherited = new Set(await base.files("/%P"));
  const added = (await container.files("/%P")).filter((path) => !inherited.has(path));
  assertEquals(added, [variables(image).get("CACHESERVER_CONFIG"), image.config.Entrypoint[0]]);
});

testImage("the image holds no secrets or data of a developer", async (_, { root }) => {
  const search = 'grep --recursive --files-with-matches "$0" "$1" || test $? = 1';
  assertEquals(await commandOutput("sh", ["-c", search, PLANTED, root]), "");
  // This text is in the program and proves that the search finds it.
  assert(await commandOutput("sh", ["-c", search, "cacheserver.v1.CacheServer", root]) !== "");
});

testImage(
  ".dockerignore lets through the program's sources, and neither tests nor secrets",
  async (image) => {
    await using context = await Container.of(image.buildah, await contextImage(image));
    const paths = await context.files("%P");
    const folders = new Set(paths.map((path) => path.split("/", 1)[0]!));
    assertEquals([...folders].sort(), ["configs", "deno.json", "deno.lock", "main.ts", "proto", "src"]);
    const info = await commandOutput(Deno.execPath(), ["info", "--json", "main.ts"], { cwd: REPOSITORY });
    const { modules }: { modules: { specifier: string }[] } = JSON.parse(info);
    const own = modules.map(({ specifier }) => specifier).filter((url) => url.startsWith(REPOSITORY.href));
    assert(own.length > 100);
    for (const url of own) assert(paths.includes(url.slice(REPOSITORY.href.length)), url);
  },
);

testImage("the image needs no shell and no root at run time", async ({ config }, { root }) => {
  const [program] = config.Entrypoint;
  assertEquals(config.Healthcheck.Test.slice(0, 2), ["CMD", program]);
  for (const words of [config.Entrypoint, config.Cmd]) assert(!words.includes("/bin/sh"), words.join(" "));
  const [, user, group] = /^(\d+):(\d+)$/.exec(config.User) ?? [];
  assert(Number(user) > 0 && Number(group) > 0, config.User);
  assertEquals(config.StopSignal, "SIGTERM");
  const { uid, mode } = await Deno.stat(`${root}${program}`);
  assertEquals([uid, mode! & 0o777], [0, 0o755]);
});

testImage("the image uses only commands and variables of the program", async (image, container) => {
  const { Entrypoint, Cmd, Healthcheck } = image.config;
  const known = knownCommands((await container.run([...Entrypoint, "help"])).stdout);
  for (const command of [...Cmd, ...Healthcheck.Test.slice(2)]) assert(known.includes(command), command);
  assertEquals(unknownVariables(variables(image).keys()), []);
});

testImage(
  "the image exposes its configuration's ports, which answer on every address",
  (image, container) => {
    const { grpc, http } = imageConfig(image, container).server;
    const exposed = [grpc.port, http.port].map((port) => `${port}/tcp`);
    assertEquals(Object.keys(image.config.ExposedPorts).sort(), exposed.sort());
    assertEquals([grpc.hostname, http.hostname], ["0.0.0.0", "0.0.0.0"]);
  },
);

testImage(
  "the image gives the embedded database a volume that belongs to the user",
  async (image, container) => {
    const { database } = imageConfig(image, container).data;
    assert(database.driver === "sqlite");
    const { WorkingDir, Volumes, User } = image.config;
    const file = new URL(database.path, `file://${WorkingDir.replace(/\/?$/, "/")}`).pathname;
    const [volume] = Object.keys(Volumes);
    assert(file.startsWith(`${volume}/`), file);
    const { uid, gid, mode } = await Deno.stat(`${container.root}${volume}`);
    assertEquals([`${uid}:${gid}`, mode! & 0o777], [User, 0o755]);
  },
);

testImage("the documents give the image's size as buildah reports it", async (image) => {
  const added = await addedMegabytes(image);
  const stated = (await documents()).flatMap((
    text,
  ) => [...text.matchAll(/adds\s+(\d+)\s+MB\s+to\s+its\s+base/g)]);
  assertEquals(stated.length, 1);
  // Releases of Deno's runtime differ by as much.
  const megabytes = Number(stated[0]![1]);
  assert(Math.abs(megabytes - added) < added / 10, `${megabytes} MB in the documents, built are ${added} MB`);
});
