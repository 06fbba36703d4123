import { canInstallPackages, installPackages } from "./apt_install.ts";
import { findProgram } from "./find_program.ts";
import { imageObstacle, openImageStorage } from "./image_storage.ts";
import { startMariadb } from "../mysql/mariadb.ts";
import { startRedis } from "../redis/redis.ts";
import { SERVER_VARIABLES, type TestServers, testServers } from "./servers.ts";

/** How to provide a kind of server that the environment does not name. */
interface Provision {
  /** Each list has the names of one program. */
  readonly programs: readonly (readonly string[])[];
  readonly debianPackages: readonly string[];
  readonly services: readonly string[];
  /** Why it cannot start although its programs are installed. */
  obstacle?(): Promise<string | undefined>;
  /** Starts one with further arguments. Disposal stops it. */
  start(
    args: readonly string[],
  ): Promise<AsyncDisposable & { readonly url: string; readonly pid: number | undefined }>;
}

const PROVISIONS: Readonly<Record<keyof TestServers, Provision>> = {
  redis: {
    programs: [["redis-server"]],
    debianPackages: ["redis-server"],
    services: ["redis-server"],
    start: (args) => startRedis({ args }),
  },
  mysql: {
    programs: [["mariadbd", "mysqld"]],
    debianPackages: ["mariadb-server"],
    services: ["mariadb"],
    start: (args) => startMariadb({ args }),
  },
  images: {
    programs: [["buildah"], ["debootstrap"]],
    debianPackages: ["buildah", "debootstrap"],
    services: [],
    obstacle: imageObstacle,
    start: openImageStorage,
  },
};

const ALL = Object.keys(PROVISIONS) as (keyof TestServers)[];

/** The processes of the servers started for this run; those that the environment names have none. */
export type ServerPids = Readonly<Partial<Record<keyof TestServers, number>>>;

/** The servers of one test run. Disposal stops those that were started for it. */
export interface ProvidedServers extends AsyncDisposable {
  /** The environment variables that name the servers to the tests. */
  readonly variables: Readonly<Record<string, string>>;
  readonly pids: ServerPids;
  /** One line for each kind of server that cannot be provided. */
  readonly complaints: readonly string[];
}

/** How servers are provided. */
export interface ProvideOptions {
  /** The kinds to provide; all unless given. */
  readonly needed?: readonly (keyof TestServers)[];
  /** Further arguments of those that are started. */
  readonly args?: Readonly<Partial<Record<keyof TestServers, readonly string[]>>>;
  /** When it is aborted, what has been started is stopped again. */
  readonly signal?: AbortSignal;
}

/**
 * Provides each kind of server: the one that the environment names, else a new one of an installed program. What is
 * missing is installed first, by apt-get, if this is root on Debian or Ubuntu.
 */
export async function provideServers(
  { needed = ALL, args = {}, signal }: ProvideOptions = {},
): Promise<ProvidedServers> {
  await using started = new AsyncDisposableStack();
  const variables: Record<string, string> = {};
  const pids: Partial<Record<keyof TestServers, number>> = {};
  const complaints: string[] = [];
  const named = testServers();
  const wanted = needed.filter((name) => named[name] === undefined);
  const installProblem = await installMissing(wanted);
  for (const name of wanted) {
    signal?.throwIfAborted();
    const obstacle = await obstacleTo(name, installProblem);
    if (obstacle === undefined) {
      const { url, pid } = started.use(await PROVISIONS[name].start(args[name] ?? []));
      variables[SERVER_VARIABLES[name]] = url;
      if (pid !== undefined) pids[name] = pid;
    } else complaints.push(`SKIPPED: every test that needs ${name}, because ${obstacle}`);
  }
  signal?.throwIfAborted();
  const kept = started.move();
  return { variables, pids, complaints, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Installs what is missing; resolves to the reason if that is not possible. */
async function installMissing(wanted: readonly (keyof TestServers)[]): Promise<string | undefined> {
  const missing = wanted.filter((name) => missingProgram(name) !== undefined).map((name) => PROVISIONS[name]);
  if (missing.length === 0) return undefined;
  if (!canInstallPackages()) return "only root can install it, on Debian or Ubuntu";
  try {
    await installPackages(
      missing.flatMap(({ debianPackages }) => debianPackages),
      missing.flatMap(({ services }) => services),
    );
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why this kind of server cannot be started; undefined if it can. */
async function obstacleTo(
  name: keyof TestServers,
  installProblem = "its package holds no such program",
): Promise<string | undefined> {
  const { debianPackages, obstacle } = PROVISIONS[name];
  const program = missingProgram(name);
  if (program === undefined) return await obstacle?.();
  const remedy = `Install ${debianPackages.join(" and ")}`;
  const other = name === "images" ? "" : ` or name a server in ${SERVER_VARIABLES[name]}`;
  return `there is no ${program} (${installProblem}). ${remedy}${other}.`;
}

/** The names of a program that is not installed. */
function missingProgram(name: keyof TestServers): string | undefined {
  return PROVISIONS[name].programs.find((names) => findProgram(...names) === undefined)?.join(" or ");
}
