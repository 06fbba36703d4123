import { freeze, killProcess } from "../servers/process.ts";
import type { MysqlConfig } from "../../../src/config/data/database.ts";
import { findProgram } from "../servers/find_program.ts";
import { freePort } from "../network/free_port.ts";
import type { MysqlAddress } from "../servers/servers.ts";
import { waitFor } from "../wait_for.ts";

/** The configuration of a database, which need not exist yet; by default its name is unique. */
export function mysqlConfig(
  server: MysqlAddress,
  database = `cacheserver_${crypto.randomUUID().replaceAll("-", "")}`,
): MysqlConfig {
  return {
    driver: "mysql",
    address: { kind: "tcp", hostname: server.hostname, port: server.port },
    user: server.user,
    password: server.password,
    database,
    location: "UTC",
    charset: "utf8mb4",
    tls: "off",
    table: "usercenter_secret",
    connectTimeoutMs: 5_000,
    queryTimeoutMs: 5_000,
    maxConnections: 8,
    breaker: { failureRatio: 0.5, minCalls: 5, windowMs: 2_000, probeDelayMs: 200 },
  };
}

/** A MariaDB or MySQL for one test in a temporary folder, which can freeze, kill and restart it. */
export interface TestMariadb extends MysqlAddress, AsyncDisposable {
  /** `mysql://user:password@host:port`, as the environment names a server. */
  readonly url: string;
  /** The path of the Unix socket. */
  readonly socket: string;
  readonly pid: number;
  config(database?: string): MysqlConfig;
  /** Freezes the server: connections stay open, without answers until {@link resume}. */
  pause(): void;
  resume(): void;
  /** Kills the server as a crash would, and resolves once it is gone. */
  stop(): Promise<void>;
  /** Starts it again, on the same port and files, and resolves once it takes connections. */
  start(): Promise<void>;
}

const ACCOUNT = { user: "root", password: "throw-away" };

/**
 * Starts a server on a free port; it is killed and its files are removed when the result is disposed of. `args`
 * are further ones for mariadbd.
 */
export async function startMariadb(
  { args = [] }: { readonly args?: readonly string[] } = {},
): Promise<TestMariadb> {
  const program = findProgram("mariadbd", "mysqld");
  if (program === undefined) throw new Error("Cannot start a MariaDB: mariadbd is not on the PATH");
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-mariadb-" });
  const address: MysqlAddress = { hostname: "127.0.0.1", port: freePort(), ...ACCOUNT };
  const socket = `${folder}/socket`;
  let process: Deno.ChildProcess | undefined;

  const start = async () => {
    // Otherwise the log of an earlier run would count as this one's.
    await Deno.writeTextFile(logPath(folder), "");
    process = new Deno.Command(program, {
      args: [...serverArguments(folder, address.port, socket), ...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await ready(process, logPath(folder));
  };
  const stop = async () => {
    const stopped = process;
    process = undefined;
    if (stopped !== undefined) await killProcess(stopped);
  };
  const dispose = async () => {
    await stop();
    await Deno.remove(folder, { recursive: true });
  };
  const runningPid = () => {
    if (process === undefined) throw new Error("Cannot signal the MariaDB: it has been stopped");
    return process.pid;
  };
  try {
    await install(program, folder);
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    ...address,
    url: `mysql://${ACCOUNT.user}:${ACCOUNT.password}@${address.hostname}:${address.port}`,
    socket,
    get pid() {
      return runningPid();
    },
    config: (database) => mysqlConfig(address, database),
    pause: () => freeze(runningPid()),
    resume: () => Deno.kill(runningPid(), "SIGCONT"),
    stop,
    start,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Creates the system tables, and the init file that gives root a password over TCP. */
async function install(program: string, folder: string): Promise<void> {
  const account = `root@'127.0.0.1'`;
  await Deno.writeTextFile(
    `${folder}/init.sql`,
    `CREATE USER IF NOT EXISTS ${account};\n` +
      `ALTER USER ${account} IDENTIFIED BY '${ACCOUNT.password}';\n` +
      `GRANT ALL ON *.* TO ${account} WITH GRANT OPTION;\n`,
  );
  const installer = findProgram("mariadb-install-db");
  const { success, stderr } = await new Deno.Command(installer ?? program, {
    args: [
      "--no-defaults",
      ...asRoot(),
      `--datadir=${folder}/data`,
      ...(installer === undefined
        ? ["--initialize-insecure"]
        : ["--skip-test-db", "--auth-root-authentication-method=normal"]),
    ],
  }).output();
  if (!success) throw new Error(`Cannot set up a MariaDB: ${new TextDecoder().decode(stderr)}`);
}

/** Small and fast, without safety against a power failure. */
function serverArguments(folder: string, port: number, socket: string): string[] {
  return [
    "--no-defaults",
    ...asRoot(),
    `--datadir=${folder}/data`,
    `--socket=${socket}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    `--pid-file=${folder}/pid`,
    `--log-error=${logPath(folder)}`,
    `--init-file=${folder}/init.sql`,
    "--skip-log-bin",
    "--skip-name-resolve",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=2",
    "--loose-ssl=OFF",
    "--loose-mysqlx=OFF",
  ];
}

/** With an extension, because the server adds one of its own otherwise. */
function logPath(folder: string): string {
  return `${folder}/server.err`;
}

/** The server runs as root only with this option. */
function asRoot(): string[] {
  return Deno.uid() === 0 ? ["--user=root"] : [];
}

/** Resolves once the log reports that the server accepts connections, after the init file ran. */
async function ready(process: Deno.ChildProcess, log: string): Promise<void> {
  let exitCode: number | undefined;
  process.status.then(({ code }) => exitCode = code);
  await waitFor(async () => {
    return exitCode !== undefined || (await Deno.readTextFile(log)).includes("ready for connections");
  }, { what: "mariadbd to be ready", timeoutMs: 60_000 });
  if (exitCode !== undefined) {
    throw new Error(`Cannot start a MariaDB: it ended with ${exitCode}: ${await Deno.readTextFile(log)}`);
  }
}
