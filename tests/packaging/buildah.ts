import { commandOutput } from "./command_output.ts";

/** buildah with a storage of its own, apart from a developer's images. */
export class Buildah {
  /** Holds everything that buildah writes. */
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Starts a command, whose output is piped. */
  spawn(args: readonly string[]): Deno.ChildProcess {
    const words = this.#arguments(args);
    return new Deno.Command("buildah", {
      args: words,
      env: this.#env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs a command and resolves to its standard output. Throws with its complaint. */
  async run(...args: readonly string[]): Promise<string> {
    return await commandOutput("buildah", this.#arguments(args), { env: this.#env });
  }

  /** Storage driver and isolation work for root on any file system, also inside a container that may mount. */
  #arguments(args: readonly string[]): string[] {
    const { folder } = this;
    return ["--root", `${folder}/root`, "--runroot", `${folder}/run`, "--storage-driver", "vfs", ...args];
  }

  /** Docker's format of an image keeps HEALTHCHECK, the default format drops it. */
  get #env(): Record<string, string> {
    return { BUILDAH_ISOLATION: "chroot", BUILDAH_FORMAT: "docker", TMPDIR: this.folder };
  }
}
