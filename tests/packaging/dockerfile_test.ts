/** The Dockerfile agrees with the program, its configuration and the repository. Nothing is built here. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Keyword } from "dockerfile-ast";
import manifest from "../../deno.json" with { type: "json" };
import { loadConfig } from "../../src/config/load.ts";
import { runProgram } from "../support/service/program.ts";
import { buildContext, copiedFiles } from "./build_context.ts";
import {
  argumentDefaults,
  commandOf,
  CONTEXT,
  execForm,
  expandVariables,
  readDockerfile,
  type Stage,
  type Step,
} from "./dockerfile.ts";
import { knownCommands, unknownVariables } from "./program_names.ts";

const DOCKERFILE = readDockerfile();
const LAST = DOCKERFILE.stages.at(-1)!;

/** The flags that BuildKit knows, for the instructions that have any here. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  COPY: ["from", "chown", "chmod", "link"],
  HEALTHCHECK: ["interval", "timeout", "start-period", "retries"],
};

function stepsOf(stage: Stage, keyword: string): readonly Step[] {
  return stage.steps.filter((step) => step.keyword === keyword);
}

/** What the last instruction of this kind says. */
function last(keyword: string): string {
  const text = stepsOf(LAST, keyword).at(-1)?.text;
  assert(text !== undefined, `${keyword} is missing`);
  return text;
}

/** The configuration that the image starts with. */
function imageConfig(): ReturnType<typeof loadConfig>["config"] {
  const target = stepsOf(LAST, "ENV").at(-1)!.assigned.get("CACHESERVER_CONFIG");
  const copy = stepsOf(LAST, "COPY").find(({ words }) => words.at(-1) === target);
  assert(copy !== undefined, `Nothing is copied to ${target}, which CACHESERVER_CONFIG names`);
  const path = decodeURIComponent(new URL(copy.words[0]!, CONTEXT).pathname);
  return loadConfig({ path, env: { get: () => undefined } }).config;
}

Deno.test("Dockerfile has only instructions and flags that Docker knows", () => {
  const known: readonly string[] = Object.values(Keyword);
  for (const { keyword, flags, line } of DOCKERFILE.stages.flatMap(({ steps }) => steps)) {
    assert(known.includes(keyword) && keyword !== "MAINTAINER", `line ${line}: ${keyword}`);
    for (const flag of flags.keys()) assert(FLAGS[keyword]?.includes(flag), `line ${line}: --${flag}`);
  }
});

Deno.test("Dockerfile takes every base image from an argument whose default is pinned", () => {
  const defaults = argumentDefaults(DOCKERFILE.arguments);
  assertEquals(DOCKERFILE.stages.length, 2);
  for (const { image } of DOCKERFILE.stages) {
    assertMatch(image, /^\$\{\w+\}$/);
    assertMatch(expandVariables(image, defaults), /^[\w.\/-]+(?::(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/);
  }
});

Deno.test("Dockerfile uses no variable that it does not declare", () => {
  for (const { steps } of DOCKERFILE.stages) {
    const values = argumentDefaults(steps);
    for (const { keyword, text } of steps) if (keyword !== "RUN") expandVariables(text, values);
  }
});

Deno.test("Dockerfile builds with the Deno that CI runs, and says the version that the program has", async () => {
  const ci = /^readonly DENO_VERSION=(\S+)$/m.exec(await Deno.readTextFile(new URL(".ci/run", CONTEXT)));
  assertEquals(argumentDefaults(DOCKERFILE.arguments).get("DENO_VERSION"), ci?.[1]);
  assertEquals(argumentDefaults(LAST.steps).get("VERSION"), manifest.version);
});

Deno.test("Dockerfile labels the image as OCI has it", () => {
  const labels = stepsOf(LAST, "LABEL").flatMap(({ assigned }) => [...assigned.keys()]);
  assertEquals(
    labels,
    ["title", "description", "licenses", "source", "version", "revision"]
      .map((name) => `org.opencontainers.image.${name}`),
  );
  const values = argumentDefaults(LAST.steps);
  const license = stepsOf(LAST, "LABEL")[0]!.assigned.get("org.opencontainers.image.licenses");
  assertEquals(expandVariables(license!, values), manifest.license);
});

Deno.test("Dockerfile copies only what .dockerignore lets through", async () => {
  const context = await buildContext();
  const copies = DOCKERFILE.stages.flatMap((stage) => stepsOf(stage, "COPY"));
  for (const { words, line } of copies.filter(({ flags }) => !flags.has("from"))) {
    for (const source of words.slice(0, -1)) {
      assert(copiedFiles(context, source).length > 0, `line ${line}: ${source} is not in the context`);
    }
  }
});

Deno.test(".dockerignore lets through what the program is made of, and neither tests nor secrets", async () => {
  const context = await buildContext();
  const folders = new Set(context.map((path) => path.split("/", 1)[0]!));
  assertEquals([...folders].sort(), ["configs", "deno.json", "deno.lock", "main.ts", "proto", "src"]);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: CONTEXT,
  }).output();
  const { modules }: { modules: { specifier: string }[] } = JSON.parse(new TextDecoder().decode(stdout));
  const own = modules.map(({ specifier }) => specifier).filter((url) => url.startsWith(CONTEXT.href));
  assert(own.length > 100);
  for (const url of own) assert(context.includes(url.slice(CONTEXT.href.length)), url);
});

Deno.test("Dockerfile needs no shell and no root at run time", () => {
  assertEquals(stepsOf(LAST, "RUN"), []);
  assertEquals(stepsOf(LAST, "SHELL"), []);
  const [program] = commandOf(LAST, "ENTRYPOINT");
  assertEquals(stepsOf(LAST, "COPY").filter(({ words }) => words.at(-1) === program).length, 1);
  assert(execForm(last("CMD")) !== undefined);
  assertEquals(commandOf(LAST, "HEALTHCHECK")[0], program);
  const [, user, group] = /^(\d+):(\d+)$/.exec(last("USER")) ?? [];
  assert(Number(user) > 0 && Number(group) > 0, last("USER"));
  assertEquals(last("STOPSIGNAL"), "SIGTERM");
});

Deno.test("Dockerfile names only commands and variables that the program knows", async () => {
  const known = knownCommands((await runProgram(["help"])).stdout);
  for (const command of [...commandOf(LAST, "CMD"), ...commandOf(LAST, "HEALTHCHECK").slice(1)]) {
    assert(known.includes(command), command);
  }
  assertEquals(unknownVariables(stepsOf(LAST, "ENV").flatMap(({ assigned }) => [...assigned.keys()])), []);
});

Deno.test("Dockerfile exposes the ports of the image's configuration, which answers on every address", () => {
  const { grpc, http } = imageConfig().server;
  assertEquals(last("EXPOSE").split(" ").map(Number), [grpc.port, http.port]);
  assertEquals([grpc.hostname, http.hostname], ["0.0.0.0", "0.0.0.0"]);
});

Deno.test("Dockerfile gives the embedded database a volume that belongs to the user", () => {
  const { database } = imageConfig().data;
  assert(database.driver === "sqlite");
  const file = new URL(database.path, `file://${last("WORKDIR").replace(/\/?$/, "/")}`).pathname;
  const volume = last("VOLUME");
  assert(file.startsWith(`${volume}/`), file);
  const folder = stepsOf(LAST, "COPY").find(({ words }) => words.at(-1) === volume);
  assertEquals(folder?.flags.get("chown"), last("USER"));
});
