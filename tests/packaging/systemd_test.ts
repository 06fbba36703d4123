/** The unit of systemd in configs/README.md agrees with the program's configuration. systemd does not run. */
import { assert, assertEquals } from "@std/assert";
import { loadConfig } from "../../src/config/load.ts";
import { parseDurationMs } from "../../src/config/duration.ts";
import { runProgram } from "../support/service/program.ts";
import { knownCommands, unknownVariables } from "./program_names.ts";

const ROOT = new URL("../../", import.meta.url);

/** The values of the unit's settings, by name, in their order. */
function readUnit(): ReadonlyMap<string, readonly string[]> {
  const document = Deno.readTextFileSync(new URL("configs/README.md", ROOT));
  const [, unit = ""] = /^```ini systemd\n(.*?)^```$/ms.exec(document) ?? [];
  const settings = [...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => ({
    name: name!,
    value: value!,
  }));
  return new Map(
    [...Map.groupBy(settings, ({ name }) => name)]
      .map(([name, found]) => [name, found.map(({ value }) => value)]),
  );
}

/** The environment of the unit, `%d` replaced by the folder of the credentials. */
function environmentOf(
  unit: ReadonlyMap<string, readonly string[]>,
  credentials: string,
): Map<string, string> {
  const assignments = unit.get("Environment") ?? [];
  return new Map(assignments.map((text) => {
    const [name = "", value = ""] = text.split("=", 2);
    return [name, value.replace("%d", credentials)];
  }));
}

Deno.test("configs/README.md has a unit of systemd whose variables and commands the program has", async () => {
  const unit = readUnit();
  assertEquals(unknownVariables(environmentOf(unit, "/run").keys()), []);
  const known = knownCommands((await runProgram(["help"])).stdout);
  const commands = [...unit.get("ExecStartPre") ?? [], ...unit.get("ExecStart") ?? []];
  assertEquals(commands.map((command) => command.split(" ").slice(1)), [["migrate"], ["serve"]]);
  assert(commands.every((command) => known.includes(command.split(" ")[1]!)));
});

Deno.test("configs/README.md has a unit of systemd that waits for a drain, and hands secrets as credentials", () => {
  const unit = readUnit();
  const credentials = Deno.makeTempDirSync({ prefix: "cacheserver-systemd-" });
  try {
    const names = (unit.get("LoadCredential") ?? []).map((text) => text.split(":")[0]);
    assertEquals(names, ["redis", "mysql"]);
    Deno.writeTextFileSync(`${credentials}/redis`, "hunter2");
    Deno.writeTextFileSync(`${credentials}/mysql`, "cache:hunter3@tcp(mysql:3306)/cacheserver");
    const variables = environmentOf(unit, credentials);
    const env = { get: (name: string) => variables.get(name), names: () => variables.keys() };
    const path = decodeURIComponent(new URL("configs/config.embedded.yaml", ROOT).pathname);
    const { server, data } = loadConfig({ path, env }).config;
    assertEquals([data.database.driver, data.redis?.password], ["mysql", "hunter2"]);
    const stopMs = parseDurationMs(`${unit.get("TimeoutStopSec")?.[0]}s`)!;
    assert(stopMs > server.drainDelayMs + server.grpc.drainTimeoutMs);
    const { maxConnections } = server.grpc.limits;
    assert(Number(unit.get("LimitNOFILE")?.[0]) > maxConnections + server.http.limits.maxConnections);
  } finally {
    Deno.removeSync(credentials, { recursive: true });
  }
});
