import type { ProgramResult } from "../support/service/program.ts";
import { RunningService } from "../support/service/service.ts";
import type { Buildah } from "./buildah.ts";
import { commandOutput } from "./command_output.ts";

/** Options of a program in a container, in addition to those of its image. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Files and folders of this machine, by their paths in the container. They are read-only there. */
  readonly binds?: Readonly<Record<string, string>>;
  /** Paths of empty folders in memory. */
  readonly tmpfs?: readonly string[];
}

/** A container of an image. Programs run in its files, as the image's user and without any capability. */
export class Container implements AsyncDisposable {
  readonly #buildah: Buildah;
  readonly #name: string;
  /** The folder that holds the container's files; its volumes are elsewhere. */
  readonly root: string;

  private constructor(buildah: Buildah, name: string, root: string) {
    this.#buildah = buildah;
    this.#name = name;
    this.root = root;
  }

  /** Makes a container of an image in buildah's storage. */
  static async of(buildah: Buildah, image: string): Promise<Container> {
    const name = await buildah.run("from", "--pull-never", image);
    return new Container(buildah, name, await buildah.run("mount", name));
  }

  /** Runs a program to its end. */
  async run(words: readonly string[], options: RunOptions = {}): Promise<ProgramResult> {
    const { code, stdout, stderr } = await this.#spawn(words, options).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Starts a program that serves. */
  serve(words: readonly string[], options: RunOptions = {}): RunningService {
    const { pid, stdout, stderr, status } = this.#spawn(words, options);
    // buildah answers a signal by killing the program, so signals go to the program itself.
    const kill = (signal: Deno.Signal) => Deno.kill(lastDescendant(pid), signal);
    return new RunningService({ pid, stdout, stderr, status, kill });
  }

  #spawn(words: readonly string[], { env = {}, binds = {}, tmpfs = [] }: RunOptions): Deno.ChildProcess {
    return this.#buildah.spawn([
      ...["run", "--network", "host", "--cap-drop", "ALL"],
      ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...Object.entries(binds).flatMap(([target, source]) => ["--volume", `${source}:${target}:ro`]),
      ...tmpfs.flatMap((target) => ["--mount", `type=tmpfs,target=${target}`]),
      ...[this.#name, "--", ...words],
    ]);
  }

  /** The container's regular files outside its volumes, as `find -printf` describes each. */
  async files(format: string): Promise<string[]> {
    const found = await commandOutput("find", [this.root, "-type", "f", "-printf", `${format}\\n`]);
    return found.split("\n").sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#buildah.run("rm", this.#name);
  }
}

/**
 * The last process of a chain in which each has one child: buildah, two helpers, the program. Reading /proc needs all
 * of Deno's permissions, hence the shell.
 */
function lastDescendant(pid: number): number {
  const { stdout } = new Deno.Command("sh", {
    args: [
      "-c",
      'pid=$0; while child=$(cat /proc/$pid/task/*/children); [ -n "$child" ]; do pid=${child% }; done; echo $pid',
      String(pid),
    ],
  }).outputSync();
  return Number(new TextDecoder().decode(stdout));
}
