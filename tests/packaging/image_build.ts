/**
 * Carries out the Dockerfile without Docker: every stage is a folder that begins empty, for want of its base image.
 *
 *     <folder>/0/src/deno.json      stage 0, whose WORKDIR is /src
 *     <folder>/1/usr/bin/...        stage 1, the image
 *
 * RUN happens in the stage's folder, not in a root of its own: relative paths only. Without root, what COPY makes
 * belongs to whoever runs the tests.
 */
import { basename, dirname, relative, resolve } from "node:path/posix";
import { buildContext, copiedFiles } from "./build_context.ts";
import type { Builder } from "./compile_step.ts";
import {
  argumentDefaults,
  commandOf,
  CONTEXT,
  type Dockerfile,
  expandVariables,
  type Stage,
  type Step,
} from "./dockerfile.ts";

/** What the last stage says of the container, and the folder that holds its files. */
export interface Image {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

/** How to build. */
export interface BuildOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly builder: Builder;
  /** As --build-arg gives them; each counts where an ARG declares it. */
  readonly arguments: ReadonlyMap<string, string>;
}

/** Builds all stages in their order. */
export async function buildImage(dockerfile: Dockerfile, options: BuildOptions): Promise<Image> {
  const context = await buildContext();
  const roots = new Map<string, string>();
  let image: Image | undefined;
  for (const [index, stage] of dockerfile.stages.entries()) {
    const root = `${options.folder}/${index}`;
    await Deno.mkdir(root);
    const building = new StageBuild(root, context, roots, options);
    for (const step of stage.steps) await building.do(step);
    roots.set(stage.name ?? String(index), root);
    image = imageOf(stage, building);
  }
  if (image === undefined) throw new TypeError("Dockerfile: there is no FROM");
  return image;
}

function imageOf(stage: Stage, { root, env, workdir }: StageBuild): Image {
  const has = (keyword: string) => stage.steps.some((step) => step.keyword === keyword);
  const command = (keyword: "ENTRYPOINT" | "CMD" | "HEALTHCHECK") =>
    has(keyword) ? commandOf(stage, keyword) : [];
  return {
    root,
    env: Object.fromEntries(env),
    workdir,
    entrypoint: command("ENTRYPOINT"),
    command: command("CMD"),
    healthcheck: command("HEALTHCHECK"),
  };
}

/** One stage while it is built. */
class StageBuild {
  readonly root: string;
  readonly env = new Map<string, string>();
  workdir = "/";
  readonly #context: readonly string[];
  readonly #stages: ReadonlyMap<string, string>;
  readonly #options: BuildOptions;
  #arguments: ReadonlyMap<string, string> = new Map();

  constructor(
    root: string,
    context: readonly string[],
    stages: ReadonlyMap<string, string>,
    options: BuildOptions,
  ) {
    this.root = root;
    this.#context = context;
    this.#stages = stages;
    this.#options = options;
  }

  async do(step: Step): Promise<void> {
    const variables = new Map([...this.#arguments, ...this.env]);
    switch (step.keyword) {
      case "ARG":
        this.#arguments = new Map([...argumentDefaults([step], this.#arguments), ...this.#given(step)]);
        break;
      case "ENV":
        for (const [name, value = ""] of step.assigned) this.env.set(name, expandVariables(value, variables));
        break;
      case "WORKDIR":
        this.workdir = resolve(this.workdir, expandVariables(step.text, variables));
        await Deno.mkdir(this.root + this.workdir, { recursive: true });
        break;
      case "COPY":
        await this.#copy(step, step.words.map((word) => expandVariables(word, variables)));
        break;
      case "RUN":
        if (/(?:^|[\s="'])\//.test(step.text)) {
          throw new TypeError(
            `Dockerfile, line ${step.line}: an absolute path leads out of the folder it is tried in`,
          );
        }
        await this.#options.builder.run({
          command: step.text,
          cwd: this.root + this.workdir,
          env: Object.fromEntries(variables),
        });
        break;
    }
  }

  #given({ assigned }: Step): ReadonlyArray<readonly [string, string]> {
    return [...this.#options.arguments].filter(([name]) => assigned.has(name));
  }

  async #copy({ flags, line }: Step, words: readonly string[]): Promise<void> {
    const target = words.at(-1)!;
    const from = flags.get("from");
    const root = from === undefined ? decodeURIComponent(CONTEXT.pathname) : this.#stages.get(from);
    if (root === undefined) throw new TypeError(`Dockerfile, line ${line}: there is no stage ${from} yet`);
    for (const source of words.slice(0, -1)) {
      const path = resolve("/", source);
      const isFolder = (await Deno.stat(root + path)).isDirectory;
      // As Docker does it: a folder's content is copied, and a file goes into a target that ends with a slash.
      const into = resolve(this.workdir, target, !isFolder && target.endsWith("/") ? basename(path) : "");
      const made = [into];
      if (isFolder) await Deno.mkdir(this.root + into, { recursive: true });
      for (
        const file of from === undefined ? copiedFiles(this.#context, source) : await filesBelow(root, path)
      ) {
        const copy = isFolder ? resolve(into, relative(path, resolve("/", file))) : into;
        await Deno.mkdir(this.root + dirname(copy), { recursive: true });
        await Deno.copyFile(`${root}/${file}`, this.root + copy);
        made.push(copy);
      }
      const [user, group] = flags.get("chown")?.split(":").map(Number) ?? [];
      if (user === undefined || group === undefined || Deno.uid() !== 0) continue;
      for (const each of made) await Deno.chown(this.root + each, user, group);
    }
  }
}

/** The files at or below a path of `root`. */
export async function filesBelow(root: string, path: string): Promise<string[]> {
  if ((await Deno.stat(root + path)).isFile) return [path];
  const files: string[] = [];
  for await (const { name } of Deno.readDir(root + path)) {
    files.push(...await filesBelow(root, resolve(path, name)));
  }
  return files;
}
