import { canInstallPackages, installPackages } from "./apt_install.ts";
import { findProgram } from "./find_program.ts";
import { startMariadb } from "../mysql/mariadb.ts";
import { startRedis } from "../redis/redis.ts";
import { SERVER_VARIABLES, type TestServers, testServers } from "./servers.ts";

/** How to provide a kind of server that the environment does not name. */
interface Provision {
  readonly programs: readonly string[];
  readonly debianPackage: string;
  readonly service: string;
  /** Starts one with further arguments; disposing of it stops it. */
  start(
    args: readonly string[],
  ): Promise<AsyncDisposable & { readonly url: string; readonly pid: number | undefined }>;
}

const PROVISIONS: Readonly<Record<keyof TestServers, Provision>> = {
  redis: {
    programs: ["redis-server"],
    debianPackage: "redis-server",
    service: "redis-server",
    start: (args) => startRedis({ args }),
  },
  mysql: {
    programs: ["mariadbd", "mysqld"],
    debianPackage: "mariadb-server",
    service: "mariadb",
    start: (args) => startMariadb({ args }),
  },
};

const NAMES = Object.keys(PROVISIONS) as (keyof TestServers)[];

/** The processes of the servers that were started for this run; none for those that the environment names. */
export type ServerPids = Readonly<Partial<Record<keyof TestServers, number>>>;

/** The servers of one test run; disposing of this stops those that were started for it. */
export interface ProvidedServers extends AsyncDisposable {
  /** The environment variables that name the servers to the tests. */
  readonly variables: Readonly<Record<string, string>>;
  readonly pids: ServerPids;
  /** One line for each kind of server that is missing. */
  readonly complaints: readonly string[];
}

/** How servers are provided. */
export interface ProvideOptions {
  /** Further arguments of the servers that are started. */
  readonly args?: Readonly<Partial<Record<keyof TestServers, readonly string[]>>>;
  /** When it is aborted, the servers that were started are stopped. */
  readonly signal?: AbortSignal;
}

/**
 * Provides each kind of server: the one that the environment names, else one that is started from what is
 * installed, else, for root on Debian or Ubuntu, from what apt-get installs.
 */
export async function provideServers(
  { args = {}, signal }: ProvideOptions = {},
): Promise<ProvidedServers> {
  await using started = new AsyncDisposableStack();
  const variables: Record<string, string> = {};
  const pids: Partial<Record<keyof TestServers, number>> = {};
  const complaints: string[] = [];
  const named = testServers();
  const wanted = NAMES.filter((name) => named[name] === undefined);
  const installProblem = await installMissing(wanted);
  for (const name of wanted) {
    signal?.throwIfAborted();
    if (isInstalled(name)) {
      const { url, pid } = started.use(await PROVISIONS[name].start(args[name] ?? []));
      variables[SERVER_VARIABLES[name]] = url;
      if (pid !== undefined) pids[name] = pid;
    } else complaints.push(complaint(name, installProblem));
  }
  signal?.throwIfAborted();
  const kept = started.move();
  return { variables, pids, complaints, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Installs what is missing if this process may; resolves to the reason if it failed. */
async function installMissing(wanted: readonly (keyof TestServers)[]): Promise<string | undefined> {
  const missing = wanted.filter((name) => !isInstalled(name)).map((name) => PROVISIONS[name]);
  if (missing.length === 0) return undefined;
  if (!canInstallPackages()) return "only root can install it, on Debian or Ubuntu";
  try {
    await installPackages(
      missing.map(({ debianPackage }) => debianPackage),
      missing.map(({ service }) => service),
    );
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isInstalled(name: keyof TestServers): boolean {
  return findProgram(...PROVISIONS[name].programs) !== undefined;
}

function complaint(name: keyof TestServers, reason = "its package holds no such program"): string {
  const { programs, debianPackage } = PROVISIONS[name];
  return `SKIPPED: every test that needs ${name}, because ${
    programs.join(" or ")
  } is not installed (${reason}). ` +
    `Install ${debianPackage} or name a server in ${SERVER_VARIABLES[name]}.`;
}
