import { cpus } from "node:os";
import { TestDatabase } from "../support/mysql/database.ts";
import { testServers } from "../support/servers/servers.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { findProgram } from "../support/servers/find_program.ts";
import { findH2load } from "./load/h2load.ts";
import { sourceCommit } from "../../src/build/source_commit.ts";

/** The date, the revision and the machine of a measurement. */
export interface Machine {
  readonly date: string;
  /** The commit, followed by `-dirty` if files differ from it. */
  readonly revision: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly deno: string;
  /** Undefined if there is none, as are the next ones. */
  readonly redis: string | undefined;
  readonly database: string | undefined;
  readonly h2load: string | undefined;
  readonly node: string | undefined;
  /** The load average of the last minute before the first measurement: near 0 if the machine was idle. */
  readonly loadAverage: number;
}

/** Describes this machine and the servers that the environment names. */
export async function describeMachine(): Promise<Machine> {
  const { redis, mysql } = testServers();
  const { deno, v8 } = Deno.version;
  return {
    date: new Date().toISOString().slice(0, 10),
    revision: await sourceCommit(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: navigator.hardwareConcurrency,
    memoryGiB: Math.round(Deno.systemMemoryInfo().total / 2 ** 30 * 10) / 10,
    kernel: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    deno: `${deno} (V8 ${v8})`,
    redis: redis && await redisVersion(redis),
    database: mysql && await databaseVersion(new TestDatabase(mysql)),
    h2load: (await versionOf(findH2load()))?.replace(/^h2load /, ""),
    node: (await versionOf(findProgram("node")))?.replace(/^v/, ""),
    loadAverage: Deno.loadavg()[0]!,
  };
}

async function redisVersion({ hostname, port }: Endpoint): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  await connection.write(new TextEncoder().encode("INFO server\r\n"));
  const answer = new Uint8Array(4096);
  const length = await connection.read(answer) ?? 0;
  return /redis_version:(\S+)/.exec(new TextDecoder().decode(answer.subarray(0, length)))?.[1] ?? "unknown";
}

async function databaseVersion(database: TestDatabase): Promise<string> {
  await using owned = database;
  await owned.create();
  const [row] = await owned.rows<{ readonly version: string }>("SELECT VERSION() AS version");
  return row?.version ?? "unknown";
}

async function versionOf(program: string | undefined): Promise<string | undefined> {
  if (program === undefined) return undefined;
  const { stdout } = await new Deno.Command(program, { args: ["--version"] }).output();
  return new TextDecoder().decode(stdout).trim();
}
