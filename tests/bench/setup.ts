import type { Endpoint } from "../../src/core/endpoint.ts";
import type { TestDatabase } from "../support/mysql/database.ts";
import { type TestServers, testServers } from "../support/servers/servers.ts";
import { type RunningService, startService } from "../support/service/service.ts";
import { embeddedProfile, serversProfile, type ServiceProfile } from "../support/service/profile.ts";
import type { Watched } from "./load/load.ts";
import type { Bench } from "./part.ts";

/** How the service is set up: its servers, and whether it has local memory. */
export interface ServiceSetup {
  readonly profile: "servers" | "embedded";
  readonly localMemory: "on" | "off";
  /** How many replicas share the stores; one by default. */
  readonly replicas?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** The set-ups that parts share, by the name that the report gives them. */
export const SETUPS = {
  "servers": { profile: "servers", localMemory: "on" },
  "servers, no L1": { profile: "servers", localMemory: "off" },
  "embedded": { profile: "embedded", localMemory: "on" },
  "embedded, no L1": { profile: "embedded", localMemory: "off" },
} as const satisfies Record<string, ServiceSetup>;

export type SetupName = keyof typeof SETUPS;

/** A running service, alone with its data. */
export interface RunningSetup extends AsyncDisposable {
  /** The address of each replica. */
  readonly addresses: readonly Endpoint[];
  /** The replicas, and the servers that were started for this run. */
  readonly watched: Watched;
  /** The database of its secrets; undefined in the embedded profile. */
  readonly database: TestDatabase | undefined;
  /** The warnings and errors that it has logged since the last call of this method. */
  takeComplaints(): string[];
}

/** So long that overload shows in the latencies, not as errors. */
const PATIENCE: Readonly<Record<string, string>> = {
  "server.grpc.timeout": "10s",
  "data.database.query_timeout": "10s",
};
const PATIENCE_WITH_REDIS: Readonly<Record<string, string>> = {
  ...PATIENCE,
  "data.redis.read_timeout": "10s",
  "data.redis.write_timeout": "10s",
};

/** Starts the service of a set-up on empty stores, which are removed when the result is disposed of. */
export async function startSetup(setup: ServiceSetup, { serverPids }: Bench): Promise<RunningSetup> {
  await using resources = new AsyncDisposableStack();
  const servers = setup.profile === "servers" ? resources.use(await serversProfile(allServers())) : undefined;
  const used: ServiceProfile = servers ?? resources.use(await embeddedProfile());
  const services: RunningService[] = [];
  for (let replica = 0; replica < (setup.replicas ?? 1); replica++) {
    const service = await startService(used, {
      ...(servers === undefined ? PATIENCE : PATIENCE_WITH_REDIS),
      "cache.local.disabled": String(setup.localMemory === "off"),
      ...setup.settings,
    });
    resources.defer(() => stop(service));
    services.push(service);
  }
  const owned = resources.move();
  return {
    addresses: services.map(serverAddress),
    watched: {
      service: services.map(({ pid }) => pid),
      ...(servers !== undefined && serverPids.redis !== undefined && { redis: [serverPids.redis] }),
      ...(servers !== undefined && serverPids.mysql !== undefined && { database: [serverPids.mysql] }),
    },
    database: servers?.database,
    takeComplaints: () =>
      services.flatMap(({ log }) => log.splice(0))
        .filter(({ level }) => level === "warn" || level === "error")
        .map((line) => JSON.stringify(line)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Whether this run has what a set-up needs. */
export function canStart({ profile }: ServiceSetup): boolean {
  const { redis, mysql } = testServers();
  return profile === "embedded" || (redis !== undefined && mysql !== undefined);
}

/** Where a service listens. */
export function serverAddress(service: RunningService): Endpoint {
  const { hostname, port } = new URL(`http://${service.address}`);
  return { hostname, port: Number(port) };
}

async function stop(service: RunningService): Promise<void> {
  const code = await service.stop();
  if (code !== 0) throw new Error(`The service ended with ${code}: ${service.errors.join("\n")}`);
}

/** The servers that the environment names. Throws if one is missing. */
export function allServers(): Pick<TestServers, "redis" | "mysql"> {
  const { redis, mysql } = testServers();
  if (redis === undefined || mysql === undefined) {
    throw new Error(
      "Cannot start the service: CACHESERVER_TEST_REDIS or CACHESERVER_TEST_MYSQL names no server",
    );
  }
  return { redis, mysql };
}
