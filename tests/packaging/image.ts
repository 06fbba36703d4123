/** The image that the Dockerfile makes, built once in a test run. */
import { existsSync } from "node:fs";
import { dirname } from "node:path/posix";
import { baseImageNames, DENO_DIR, makeBaseImages } from "./base_images.ts";
import { Buildah } from "./buildah.ts";
import { commandOutput } from "./command_output.ts";
import { copyRepository } from "./repository.ts";

const NAME = "cacheserver";

/** The build argument REVISION. */
export const REVISION = "0123456789ab";

/** The content of files in the build's folder that must not reach the builder. */
export const PLANTED = "planted-2b1d9f6c";
const PLANTED_FILES = [".env", ".git/config", "data/cacheserver.db", "dist/note", "secrets/redis_password"];

/** The configuration of an image in Docker's format, with the fields that tests read. */
export interface ImageConfig {
  readonly User: string;
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly Volumes: Readonly<Record<string, unknown>>;
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal: string;
}

/** The built image. */
export interface Image {
  readonly buildah: Buildah;
  readonly name: string;
  readonly config: ImageConfig;
  /** What buildah printed while it built. */
  readonly log: string;
}

/** The image in this storage, which is built if no test has asked for it before. */
export async function builtImage(folder: string): Promise<Image> {
  const buildah = new Buildah(folder);
  if (await buildah.run("images", "--quiet", "--filter", `reference=${NAME}`) === "") await build(buildah);
  const inspected = JSON.parse(await buildah.run("inspect", "--type", "image", NAME));
  return {
    buildah,
    name: NAME,
    config: inspected.Docker.config,
    log: await Deno.readTextFile(logPath(buildah)),
  };
}

async function build(buildah: Buildah): Promise<void> {
  const context = contextPath(buildah);
  if (existsSync(context)) throw new Error("There is no image: an earlier test could not build it");
  await copyRepository(context);
  for (const path of PLANTED_FILES) {
    await Deno.mkdir(dirname(`${context}/${path}`), { recursive: true });
    await Deno.writeTextFile(`${context}/${path}`, PLANTED);
  }
  await makeBaseImages(buildah);
  const { denoDir } = JSON.parse(await commandOutput(Deno.execPath(), ["info", "--json"]));
  const { success, stdout, stderr } = await buildah.spawn([
    ...["build", "--pull-never", "--network", "host", "--build-arg", `REVISION=${REVISION}`],
    // This machine's packages, and its certificate authorities for downloads of the others.
    ...["--volume", `${denoDir}:${DENO_DIR}`, "--volume", "/etc/ssl/certs:/etc/ssl/certs:ro"],
    ...["--tag", NAME, context],
  ]).output();
  const log = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(`Cannot build the Dockerfile:\n${log}`);
  await Deno.writeTextFile(logPath(buildah), log);
}

/** Makes an image whose files are the build context, all that COPY can reach, and returns its name. */
export async function contextImage({ buildah }: Image): Promise<string> {
  const dockerfile = `${buildah.folder}/context.dockerfile`;
  await Deno.writeTextFile(dockerfile, "FROM scratch\nCOPY . /\n");
  await buildah.run("build", "--quiet", "--file", dockerfile, "--tag", "context", contextPath(buildah));
  return "context";
}

/** The megabytes that the image adds to its base image, by the sizes that buildah reports. */
export async function addedMegabytes({ buildah, name }: Image): Promise<number> {
  return await megabytes(buildah, name) - await megabytes(buildah, baseImageNames().run);
}

async function megabytes(buildah: Buildah, image: string): Promise<number> {
  const size = await buildah.run("images", "--format", "{{.Size}}", image);
  const [, number] = /^([\d.]+) MB$/.exec(size) ?? [];
  if (number === undefined) throw new TypeError(`Expected a size in MB of ${image}, got ${size}`);
  return Number(number);
}

function contextPath({ folder }: Buildah): string {
  return `${folder}/context`;
}

function logPath({ folder }: Buildah): string {
  return `${folder}/build.log`;
}
