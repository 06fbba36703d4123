import { freeze, killProcess } from "../servers/process.ts";
import { findProgram } from "../servers/find_program.ts";
import { freePort } from "../network/free_port.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { waitFor } from "../wait_for.ts";

/** A unique prefix, so that tests can share one Redis. */
export function freshKeyPrefix(): string {
  return `test-${crypto.randomUUID()}:`;
}

/** A Redis for one test, which can stop, freeze and restart it. Keeps nothing on disk. */
export class ThrowawayRedis implements Endpoint, AsyncDisposable {
  readonly hostname = "127.0.0.1";
  readonly port: number;
  readonly #program: string;
  readonly #extraArgs: readonly string[];
  #process: Deno.ChildProcess | undefined;

  constructor(program: string, port: number, extraArgs: readonly string[]) {
    this.#program = program;
    this.port = port;
    this.#extraArgs = extraArgs;
  }

  /** Undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get url(): string {
    return `redis://${this.hostname}:${this.port}`;
  }

  /** Starts the server, empty, on the same port as before, and resolves once it answers. */
  async start(): Promise<void> {
    const settings = [
      "--port",
      String(this.port),
      "--bind",
      this.hostname,
      "--save",
      "",
      "--appendonly",
      "no",
    ];
    const process = new Deno.Command(this.#program, {
      args: [...settings, ...this.#extraArgs],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#process = process;
    let exitCode: number | undefined;
    process.status.then((status) => exitCode = status.code);
    await waitFor(async () => {
      if (exitCode !== undefined) return true;
      return await answersPing(this);
    }, { what: `redis-server to answer on port ${this.port}`, timeoutMs: 10_000 });
    if (exitCode !== undefined) throw new Error(`Cannot start redis-server: it ended with code ${exitCode}`);
  }

  /** Kills the server as a crash would, and resolves once it is gone. */
  async stop(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process !== undefined) await killProcess(process);
  }

  /** Freezes the server: connections stay open, without answers until {@link resume}. */
  pause(): void {
    if (this.#process !== undefined) freeze(this.#process.pid);
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts a Redis on a free port; `args` are further arguments of redis-server. */
export async function startRedis(
  { args = [] }: { readonly args?: readonly string[] } = {},
): Promise<ThrowawayRedis> {
  const program = findProgram("redis-server");
  if (program === undefined) throw new Error("Cannot start a Redis: redis-server is not on the PATH");
  const redis = new ThrowawayRedis(program, freePort(), args);
  try {
    await redis.start();
  } catch (error) {
    await redis.stop();
    throw error;
  }
  return redis;
}

/** Whether a Redis at this address answers PING. */
export async function answersPing(address: Endpoint): Promise<boolean> {
  return (await askRedis(address, "PING")).startsWith("+PONG");
}

/** The start of Redis's reply to a command on a separate connection. */
export async function askRedis({ hostname, port }: Endpoint, command: string): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  await connection.write(new TextEncoder().encode(`${command}\r\n`));
  const answer = new Uint8Array(4096);
  const length = await connection.read(answer) ?? 0;
  return new TextDecoder().decode(answer.subarray(0, length));
}
