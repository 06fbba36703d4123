/** compose.yaml agrees with itself, the Dockerfile, the configuration and the README. No container is started. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseDurationMs } from "../../src/config/duration.ts";
import { loadConfig } from "../../src/config/load.ts";
import { documentCommands } from "../support/runner/document.ts";
import { runProgram } from "../support/service/program.ts";
import { mountsOf, publishedPort, readCompose, type Service } from "./compose.ts";
import { REPOSITORY } from "./repository.ts";
import { knownCommands, unknownVariables } from "./program_names.ts";

const COMPOSE = readCompose();
const SERVICES = Object.entries(COMPOSE.services);
/** The services that run the Dockerfile's image; the others are MySQL and Redis. */
const OWN = SERVICES.filter(([, { image }]) => image === COMPOSE.services.cacheserver?.image);
const REPLICAS = OWN.filter(([, { ports }]) => ports !== undefined);

const DOCKERFILE = Deno.readTextFileSync(new URL("Dockerfile", REPOSITORY));

const CONFIG_PATH = "configs/config.yaml";

function configText(): string {
  return Deno.readTextFileSync(new URL(CONFIG_PATH, REPOSITORY));
}

/** The configuration that the services mount. */
function mountedConfig(): ReturnType<typeof loadConfig>["config"] {
  return configWith({});
}

/** The same, with a service's variables that set configuration keys. */
function configWith(environment: Readonly<Record<string, string>>): ReturnType<typeof loadConfig>["config"] {
  const get = (name: string) => name.startsWith("CACHESERVER_") ? environment[name] : undefined;
  return loadConfig({ path: CONFIG_PATH, env: { get }, readFile: configText }).config;
}

/** The name of the secret that a variable such as MYSQL_PASSWORD_FILE names. */
function secretNamed(path: string): string | undefined {
  return /^\/run\/secrets\/(\w+)$/.exec(path)?.[1];
}

Deno.test("compose.yaml runs one replica by default, and three in the profile replicas", () => {
  assertEquals(REPLICAS.filter(([, { profiles }]) => profiles === undefined).length, 1);
  assertEquals(REPLICAS.filter(([, { profiles = ["replicas"] }]) => profiles.includes("replicas")).length, 3);
  for (const [name, { networks }] of REPLICAS) {
    assertEquals(networks?.default?.aliases, ["cacheservers"], name);
  }
});

Deno.test("compose.yaml pins the images of others, and builds its own once", () => {
  const others = SERVICES.filter((service) => !OWN.includes(service));
  for (const [name, { image }] of others) assertMatch(image, /^(?:mysql:8|redis:7)(?:\.|$)/, name);
  const builds = SERVICES.flatMap(([, { build }]) => build ?? []);
  assertEquals(builds.map(({ context }) => context), ["."]);
  for (const name of Object.keys(builds[0]!.args)) assertMatch(DOCKERFILE, new RegExp(`^ARG ${name}=`, "m"));
});

Deno.test("compose.yaml waits for the health of services that have a health check, and for migrate to end", () => {
  for (const [name, { depends_on: dependencies = {} }] of SERVICES) {
    for (const [other, { condition }] of Object.entries(dependencies)) {
      const service = COMPOSE.services[other];
      assert(service !== undefined, `${name} waits for ${other}`);
      assert(service.profiles === undefined, `${name} waits for ${other}, which a profile may leave out`);
      if (condition === "service_healthy") assert(service.healthcheck !== undefined, other);
      else assertEquals([condition, service.restart], ["service_completed_successfully", "no"], other);
    }
  }
  for (const [name, { depends_on: dependencies }] of REPLICAS) {
    assertEquals(Object.keys(dependencies ?? {}).sort(), ["migrate", "mysql", "redis"], name);
  }
});

Deno.test("compose.yaml gives a service the secrets that its variables name, and declares them all", () => {
  const used = new Set<string>();
  for (const [name, { environment = {}, secrets = [] }] of SERVICES) {
    for (const [variable, value] of Object.entries(environment)) {
      const secret = secretNamed(value);
      assertEquals(variable.endsWith("_FILE"), secret !== undefined, `${name}: ${variable}`);
      if (secret !== undefined) assert(secrets.includes(secret), `${name}: ${variable}`);
      assert(secret !== undefined || !/PASSWORD|SECRET/.test(variable), `${name}: ${variable}`);
    }
    for (const secret of secrets) used.add(secret);
  }
  assertEquals([...used].sort(), Object.keys(COMPOSE.secrets).sort());
});

Deno.test("compose.yaml sets only variables that the program or its configuration reads", () => {
  const referred = [...configText().matchAll(/\$\{(\w+)/g)].map(([, name]) => name!);
  for (const [service, { environment = {} }] of OWN) {
    const names = Object.keys(environment);
    assertEquals(unknownVariables(names), []);
    const others = names.filter((name) => !name.startsWith("CACHESERVER_"));
    for (const name of others) assert(referred.includes(name.replace(/_FILE$/, "")), `${service}: ${name}`);
  }
});

Deno.test("compose.yaml keeps services from writing anywhere but to their volumes, and from gaining rights", () => {
  for (const [name, service] of SERVICES) {
    assertEquals(service.read_only, true, name);
    assertEquals(service.cap_drop, ["ALL"], name);
    assertEquals(service.security_opt, ["no-new-privileges:true"], name);
    const imageSaysUser = OWN.some(([own]) => own === name);
    assert(imageSaysUser || (service.user !== undefined && service.user !== "root"), name);
  }
});

Deno.test("compose.yaml publishes the configuration's ports, each once, on this machine only", () => {
  const { grpc, http } = mountedConfig().server;
  for (const [name, { ports = [] }] of REPLICAS) {
    assertEquals(ports.map((port) => publishedPort(port).target), [grpc.port, http.port], name);
  }
  const ports = SERVICES.flatMap(([, { ports = [] }]) => ports.map(publishedPort));
  assertEquals(new Set(ports.map(({ published }) => published)).size, ports.length);
  assertEquals([...new Set(ports.map(({ address }) => address))], ["127.0.0.1"]);
});

Deno.test("compose.yaml mounts the configuration where the image looks for it, and declares its volumes", () => {
  const [, expected] = /^ENV CACHESERVER_CONFIG=(\S+)$/m.exec(DOCKERFILE) ?? [];
  for (const [name, service] of OWN) {
    const binds = mountsOf(service).filter(({ type }) => type === "bind");
    assertEquals(binds.map(({ target }) => target), [expected], name);
    assertEquals(binds.map(({ source }) => source), [`./${CONFIG_PATH}`], name);
  }
  const volumes = SERVICES.flatMap(([, service]) => mountsOf(service)).filter(({ type }) =>
    type === "volume"
  );
  assertEquals(volumes.map(({ source }) => source!).sort(), Object.keys(COMPOSE.volumes).sort());
});

Deno.test("compose.yaml gives services the host names in the configuration", () => {
  const { database, redis } = mountedConfig().data;
  assert(database.driver === "mysql" && database.address.kind === "tcp");
  assert(redis?.topology.kind === "standalone");
  for (const hostname of [database.address.hostname, redis.topology.address.hostname]) {
    assert(hostname in COMPOSE.services, hostname);
  }
  assertEquals(COMPOSE.services.mysql?.environment?.MYSQL_DATABASE, database.database);
  const users = [...OWN.map(([, service]) => service), COMPOSE.services.mysql!]
    .map(({ environment }: Service) => environment?.MYSQL_USER);
  assertEquals(new Set(users).size, 1);
});

Deno.test("compose.yaml announces a drain, and gives a replica more time to stop than the drain takes", () => {
  for (const [name, { environment, stop_grace_period: period = "10s" }] of REPLICAS) {
    const { drainDelayMs, grpc } = configWith(environment ?? {}).server;
    assertEquals(drainDelayMs, 5_000, name);
    assert(parseDurationMs(period)! > drainDelayMs + grpc.drainTimeoutMs, name);
  }
});

Deno.test("compose.yaml runs only commands of the program", async () => {
  const known = knownCommands((await runProgram(["help"])).stdout);
  for (const [name, { command = ["serve"] }] of OWN) assert(known.includes(command[0]!), name);
});

Deno.test("README.md has a command that makes the secret files of compose.yaml, and never twice", async () => {
  const [command] = documentCommands("README.md", "sh secrets");
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-secrets-" });
  const run = () => new Deno.Command("sh", { args: ["-c", `umask 077; ${command}`], cwd: folder }).output();
  try {
    assertEquals((await run()).success, true);
    const paths = Object.values(COMPOSE.secrets).map(({ file }) => file);
    const read = () => paths.map((path) => Deno.readTextFileSync(`${folder}/${path}`));
    const contents = read();
    for (const content of contents) assertMatch(content, /^[0-9a-f]{48}\n$/);
    assertEquals(new Set(contents).size, paths.length);
    // The containers' users must read the mounted files; other users must not enter the folder.
    for (const path of paths) assertEquals(Deno.statSync(`${folder}/${path}`).mode! & 0o777, 0o444, path);
    assertEquals(Deno.statSync(`${folder}/secrets`).mode! & 0o777, 0o700);
    assertEquals((await run()).success, false);
    assertEquals(read(), contents);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("git ignores the secret files of compose.yaml", async () => {
  const paths = Object.values(COMPOSE.secrets).map(({ file }) => file);
  const { stdout } = await new Deno.Command("git", { args: ["check-ignore", ...paths], cwd: REPOSITORY })
    .output();
  assertEquals(new TextDecoder().decode(stdout).trimEnd().split("\n"), paths);
});
