/** Replacements for the Dockerfile's base images, so that no registry is needed. */
import { canCompile } from "../support/servers/image_storage.ts";
import type { Buildah } from "./buildah.ts";
import { commandOutput } from "./command_output.ts";
import { debianTree } from "./debian_tree.ts";
import { REPOSITORY } from "./repository.ts";

/** The build stage's folder of packages, as in the official image of Deno. */
export const DENO_DIR = "/deno-dir";

/** The base images of the Dockerfile's two stages: the defaults of the arguments that name them. */
export function baseImageNames(): { readonly build: string; readonly run: string } {
  const dockerfile = Deno.readTextFileSync(new URL("Dockerfile", REPOSITORY));
  const defaults = new Map<string, string>();
  for (const [, name, value] of dockerfile.matchAll(/^ARG (\w+)=(\S+)$/gm)) {
    defaults.set(name!, value!.replace(/\$\{(\w+)\}/g, (_, other: string) => defaults.get(other) ?? ""));
  }
  return { build: defaults.get("BUILD_IMAGE") ?? "", run: defaults.get("RUN_IMAGE") ?? "" };
}

/** Makes both base images, under the names that the Dockerfile uses. */
export async function makeBaseImages(buildah: Buildah): Promise<void> {
  const { system, libraries } = await debianTree();
  const { build, run } = baseImageNames();
  const runtime = Deno.env.get("DENORT_BIN");
  await makeImage(buildah, run, { "/": libraries });
  await makeImage(buildah, build, {
    "/": system,
    "/usr/bin/deno": await denoForBuild(),
    ...(runtime && { "/usr/bin/denort": runtime }),
  }, {
    DENO_DIR,
    DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "mozilla",
    ...(runtime && { DENORT_BIN: "/usr/bin/denort" }),
  });
}

async function makeImage(
  buildah: Buildah,
  name: string,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const container = await buildah.run("from", "scratch");
  for (const [target, source] of Object.entries(files)) await buildah.run("copy", container, source, target);
  const variables = Object.entries(env).flatMap(([variable, value]) => ["--env", `${variable}=${value}`]);
  await buildah.run("config", ...variables, container);
  await buildah.run("commit", "--quiet", "--rm", container, name);
}

/**
 * The path of a Deno that can compile: the running one or, for a DENORT_BIN of Deno 2.6, one that writes the format
 * of that runtime.
 */
async function denoForBuild(): Promise<string> {
  if (await canCompile()) return Deno.execPath();
  return await commandOutput("npx", ["-y", "deno@2.6.8", "eval", "console.log(Deno.execPath())"]);
}
