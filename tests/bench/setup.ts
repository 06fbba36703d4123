import type { Path } from "../../src/config/schema.ts";
import type { ServerAddress } from "../../src/transport/service.ts";
import type { TestDatabase } from "../support/mysql_database.ts";
import { type TestServers, testServers } from "../support/servers.ts";
import { startService } from "../support/service.ts";
import { embeddedProfile, serversProfile, type ServiceProfile } from "../support/service_profile.ts";
import { type SetupName, SETUPS } from "./scenarios.ts";

/** A running service, alone with its data. */
export interface RunningSetup extends AsyncDisposable {
  readonly address: ServerAddress;
  /** Where it keeps secrets; undefined in the embedded profile. */
  readonly database: TestDatabase | undefined;
  /** The lines of warnings and errors that it has logged since this was last asked. */
  takeComplaints(): string[];
}

/** So long that overload shows in the latencies, not as errors. */
const PATIENCE: Readonly<Partial<Record<Path, string>>> = {
  "server.grpc.timeout": "10s",
  "data.database.query_timeout": "10s",
};
const PATIENCE_WITH_REDIS: Readonly<Partial<Record<Path, string>>> = {
  ...PATIENCE,
  "data.redis.read_timeout": "10s",
  "data.redis.write_timeout": "10s",
};

/** Starts the service of a set-up on empty stores; what it stored is gone once the result is disposed of. */
export async function startSetup(name: SetupName): Promise<RunningSetup> {
  const { profile, localMemory } = SETUPS[name];
  await using resources = new AsyncDisposableStack();
  const servers = profile === "servers" ? resources.use(await serversProfile(allServers())) : undefined;
  const used: ServiceProfile = servers ?? resources.use(await embeddedProfile());
  const service = await startService(used, {
    ...(servers === undefined ? PATIENCE : PATIENCE_WITH_REDIS),
    "cache.local.disabled": String(localMemory === "off"),
  });
  resources.defer(async () => {
    const code = await service.stop();
    if (code !== 0) throw new Error(`The service ended with ${code}: ${service.errors.join("\n")}`);
  });
  const owned = resources.move();
  const { hostname, port } = new URL(`http://${service.address}`);
  return {
    address: { hostname, port: Number(port) },
    database: servers?.database,
    takeComplaints: () =>
      service.log.splice(0)
        .filter(({ level }) => level === "warn" || level === "error")
        .map((line) => JSON.stringify(line)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Whether this run has what a set-up needs. */
export function canStart(name: SetupName): boolean {
  const { redis, mysql } = testServers();
  return SETUPS[name].profile === "embedded" || (redis !== undefined && mysql !== undefined);
}

function allServers(): TestServers {
  const { redis, mysql } = testServers();
  if (redis === undefined || mysql === undefined) {
    throw new Error("Cannot start the service: there is no Redis or no MySQL");
  }
  return { redis, mysql };
}
