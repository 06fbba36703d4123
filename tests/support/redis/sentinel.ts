import type { RedisSentinels } from "../../../src/store/redis/options.ts";
import { findProgram } from "../servers/find_program.ts";
import { freePort } from "../network/free_port.ts";
import { killProcess } from "../servers/process.ts";
import { askRedis, startRedis, type ThrowawayRedis } from "./redis.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { waitFor } from "../wait_for.ts";

/** The master's name at the sentinel. */
const MASTER_NAME = "cache";
/** The silence after which the master is replaced. */
const DOWN_AFTER_MS = 500;

/** A master, its replica, and one sentinel, which decides alone. */
export class SentinelSetting implements AsyncDisposable {
  readonly #resources = new AsyncDisposableStack();
  readonly master: ThrowawayRedis;
  readonly replica: ThrowawayRedis;
  readonly sentinel: Endpoint;
  readonly #sentinelProcess: Deno.ChildProcess;

  private constructor(
    servers: { readonly master: ThrowawayRedis; readonly replica: ThrowawayRedis },
    sentinel: Endpoint,
    sentinelProcess: Deno.ChildProcess,
  ) {
    this.master = servers.master;
    this.replica = servers.replica;
    this.sentinel = sentinel;
    this.#sentinelProcess = sentinelProcess;
  }

  /** Starts the three, and resolves once the sentinel could replace the master. */
  static async start(): Promise<SentinelSetting> {
    await using resources = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "cacheserver-sentinel-" });
    resources.defer(() => Deno.remove(folder, { recursive: true }));
    const args = ["--dir", folder, "--repl-diskless-sync-delay", "0"];
    const master = resources.use(await startRedis({ args }));
    const { hostname, port } = master;
    const replica = resources.use(
      await startRedis({
        args: [...args, "--dbfilename", "replica.rdb", "--replicaof", hostname, String(port)],
      }),
    );
    const sentinel = { hostname, port: freePort() };
    await writeSentinelConfig(`${folder}/sentinel.conf`, {
      name: MASTER_NAME,
      ...sentinel,
      master: { hostname, port },
    });
    const process = spawnSentinel(`${folder}/sentinel.conf`);
    resources.defer(() => killProcess(process));
    await waitFor(() => answers(replica, "INFO replication", /master_link_status:up/), {
      what: "the replica to have what the master has",
      timeoutMs: 10_000,
    });
    await waitFor(() => answers(sentinel, `SENTINEL master ${MASTER_NAME}`, /num-slaves\r\n\$1\r\n1/), {
      what: "the sentinel to know the replica",
      timeoutMs: 20_000,
    });
    const setting = new SentinelSetting({ master, replica }, sentinel, process);
    setting.#resources.use(resources.move());
    return setting;
  }

  /** How a client finds the master. */
  get sentinels(): RedisSentinels {
    return {
      masterName: MASTER_NAME,
      sentinels: [this.sentinel],
      sentinelUsername: "",
      sentinelPassword: "",
    };
  }

  /** Resolves once the replica has become the master. */
  async promoted(): Promise<void> {
    await waitFor(() => answers(this.replica, "INFO replication", /role:master/), {
      what: "the replica to be promoted",
      timeoutMs: 15_000,
    });
  }

  /** Kills the sentinel as a crash would, and resolves once it is gone. */
  async stopSentinel(): Promise<void> {
    await killProcess(this.#sentinelProcess);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** The settings of a sentinel. */
export interface SentinelOptions {
  /** The master's name. */
  readonly name: string;
  /** The sentinel's port. */
  readonly port: number;
  readonly master: Endpoint;
}

/** A sentinel that decides alone. It keeps its state in this file, and does not start without one. */
export async function writeSentinelConfig(
  path: string,
  { name, port, master }: SentinelOptions,
): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  await Deno.writeTextFile(
    path,
    `port ${port}
bind ${master.hostname}
dir ${folder}
sentinel monitor ${name} ${master.hostname} ${master.port} 1
sentinel down-after-milliseconds ${name} ${DOWN_AFTER_MS}
sentinel failover-timeout ${name} 3000
`,
  );
}

export function spawnSentinel(configPath: string): Deno.ChildProcess {
  const program = findProgram("redis-server");
  if (program === undefined) throw new Error("Cannot start a sentinel: redis-server is not on the PATH");
  return new Deno.Command(program, {
    args: [configPath, "--sentinel"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** Whether the reply to a command is as expected. */
export async function answers(address: Endpoint, command: string, expected: RegExp): Promise<boolean> {
  return expected.test(await askRedis(address, command));
}
