/** The Redis of compose.yaml: that file's command, on a free port and in a temporary folder. */
import { freePort } from "../support/network/free_port.ts";
import { waitFor } from "../support/wait_for.ts";
import { readCompose } from "./compose.ts";

const REDIS = readCompose().services.redis!;

/** Where containers find their secrets. */
export const SECRETS = "/run/secrets/";

export class ComposeRedis implements AsyncDisposable {
  readonly hostname = "127.0.0.1";
  readonly port = freePort();
  readonly #folder: string;
  #process: Deno.ChildProcess | undefined;

  /** Keeps its data in `folder`, which also holds its secrets. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts it and resolves once its health check passes. */
  async start(): Promise<void> {
    const [program, ...args] = REDIS.command!.map((word) =>
      this.#moved(word).replace(
        "redis-server -",
        `redis-server - --bind ${this.hostname} --port ${this.port}`,
      )
    );
    this.#process = new Deno.Command(program!, {
      args,
      cwd: this.#folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await waitFor(() => this.isHealthy(), { what: "the health check of compose.yaml's Redis to pass" });
  }

  /** Whether the health check passes. */
  async isHealthy(): Promise<boolean> {
    const [kind, check = ""] = REDIS.healthcheck!.test;
    if (kind !== "CMD-SHELL") throw new TypeError(`compose.yaml: the health check of redis is ${kind}`);
    const command = this.#moved(check).replace("redis-cli", `redis-cli -p ${this.port}`);
    return (await new Deno.Command("sh", { args: ["-c", command] }).output()).success;
  }

  /** Resolves to the exit code. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<number> {
    const process = this.#process;
    this.#process = undefined;
    process?.kill(signal);
    return (await process?.status)?.code ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }

  #moved(text: string): string {
    return text.replaceAll(SECRETS, `${this.#folder}/`);
  }
}
