/** What the commands print and how they end: one line for each thing that is wrong, and never a stack trace. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { DatabaseSync } from "node:sqlite";
import { TestDatabase } from "../support/mysql/database.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { freePort } from "../support/network/free_port.ts";
import { serveArguments } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";
import { type ProgramOptions, runProgram } from "../support/service/program.ts";

/** Runs the program, which must fail with this exit code; returns what it writes to standard error. */
async function complaint(
  args: readonly string[],
  code: number,
  options: ProgramOptions = {},
): Promise<string[]> {
  const result = await runProgram(args, options);
  const lines = result.stderr.trimEnd().split("\n");
  assertEquals(result.code, code, result.stderr);
  for (const line of lines) assertMatch(line, /^cacheserver: /);
  assert(!result.stderr.includes("    at ") && !result.stdout.includes("    at "), "no stack trace");
  return lines;
}

for (const key of ["server.grpc.addr", "server.http.addr"]) {
  Deno.test(`serve on a port in use for ${key} says so in one line that names the address`, async () => {
    await using profile = await embeddedProfile();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const address = `127.0.0.1:${listener.addr.port}`;
    const args = serveArguments(profile, { [key]: address });
    const lines = await complaint(args, 1, profile.programOptions);
    assertEquals(lines.length, 1, lines.join("\n"));
    assertMatch(lines[0]!, new RegExp(`^cacheserver: ${key}: Cannot listen on ${address}: .*in use`));
  });
}

Deno.test("serve on an address that this machine does not have says so in one line", async () => {
  await using profile = await embeddedProfile();
  const args = serveArguments(profile, { "server.grpc.addr": "192.0.2.1:9000" });
  const lines = await complaint(args, 1, profile.programOptions);
  assertEquals(lines.length, 1, lines.join("\n"));
  assertStringIncludes(lines[0]!, "server.grpc.addr: Cannot listen on 192.0.2.1:9000: ");
});

/** The one line that `serve` ends with if this is its database file. */
async function complaintAbout(path: string, options: ProgramOptions): Promise<string> {
  const lines = await complaint(["serve", "--set", `data.database.source=${path}`], 1, options);
  assertEquals(lines.length, 1, lines.join("\n"));
  assertStringIncludes(lines[0]!, `cacheserver: Cannot open the database file ${path}: `);
  // What a user of the executable cannot do.
  assert(!/--allow|deno|permission set|compil/.test(lines[0]!), lines[0]);
  return lines[0]!;
}

Deno.test("serve with a data folder that cannot be made or written says so, and what to change", async () => {
  await using profile = await embeddedProfile();
  const { folder } = profile.programOptions;
  // Below a file, so that root cannot make it either.
  await Deno.writeTextFile(`${folder}/file`, "");
  const below = await complaintAbout(`${folder}/file/below/c.db`, profile.programOptions);
  assertMatch(
    below,
    /a part of .*\/file\/below is a file, not a folder; name another file in data.database.source$/,
  );
  // Here root cannot write, and neither may a process with less than all permissions.
  const system = await complaintAbout("/proc/cacheserver/c.db", profile.programOptions);
  assertMatch(system, /\/proc\/cacheserver.*name another file in data.database.source$/);
  const itself = await complaintAbout(folder!, profile.programOptions);
  assertMatch(itself, /it is a folder; name another file in data.database.source$/);
});

Deno.test("serve with a file that is no database says so, and nothing of its folder's rights", async () => {
  await using profile = await embeddedProfile();
  const { folder } = profile.programOptions;
  await Deno.writeTextFile(`${folder}/text.db`, "This is no database. ".repeat(100));
  const text = await complaintAbout(`${folder}/text.db`, profile.programOptions);
  assertMatch(text, /it is no SQLite database, or its beginning is damaged; name another file/);

  const damaged = `${folder}/damaged.db`;
  using file = new DatabaseSync(damaged);
  file.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  file.close();
  const bytes = Deno.readFileSync(damaged);
  Deno.writeFileSync(damaged, bytes.fill(0x55, 100));
  const line = await complaintAbout(damaged, profile.programOptions);
  assertMatch(line, /the file is damaged; put a backup in its place/);
  assert(!/writable|may not/.test(line), line);
});

Deno.test("migrate with a database out of reach says so in one line that names it, without the password", async () => {
  const address = `127.0.0.1:${freePort()}`;
  const source = `data.database.source=someone:hunter2@tcp(${address})/secrets`;
  const args = ["migrate", "--config", "configs/config.local.yaml", "--set", source];
  const lines = await complaint(args, 1);
  assertEquals(lines.length, 1, lines.join("\n"));
  assertStringIncludes(lines[0]!, address);
  assert(!lines[0]!.includes("hunter2"));
});

Deno.test("migrate makes the embedded database, and finds nothing to do the second time", async () => {
  await using profile = await embeddedProfile();
  const [, ...options] = serveArguments(profile);
  for (let run = 0; run < 2; run++) {
    const { code, stdout, stderr } = await runProgram(["migrate", ...options], profile.programOptions);
    assertEquals([code, stderr], [0, ""]);
    const done = run === 0 ? "Created the file." : "Nothing was missing.";
    assertEquals(stdout, `${profile.settings["data.database.source"]}: ${done}\n`);
  }
});

testWithServers(
  ["mysql"],
  "migrate says where it did something, and where there was nothing to do",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    const { user, password, hostname, port } = mysql;
    const name = database.config.database;
    const source = `data.database.source=${user}:${password}@tcp(${hostname}:${port})/${name}`;
    const migrate = () => runProgram(["migrate", "--config", "configs/config.local.yaml", "--set", source]);
    const first = await migrate();
    assertEquals([first.code, first.stderr], [0, ""]);
    const lines = first.stdout.trimEnd().split("\n");
    assert(lines.length > 1);
    for (const line of lines) assertMatch(line, new RegExp(`^${hostname}:${port}/${name}: Created .*\\.$`));
    assertEquals((await migrate()).stdout, `${hostname}:${port}/${name}: Nothing was missing.\n`);
  },
);

Deno.test("serve and check say all that is wrong with a configuration, each in a line", async () => {
  const wrong = [
    "--set",
    "data.database.driver=oracle",
    "--set",
    "server.grpc.timeuot=1s",
    "--set",
    "log.level=loud",
  ];
  await Promise.all(["serve", "check", "migrate"].map(async (command) => {
    const lines = await complaint([command, ...wrong], 2);
    assertEquals(lines.length, 3, lines.join("\n"));
    assertStringIncludes(lines.join("\n"), "server.grpc.timeout");
  }));
});

Deno.test("serve says that its configuration does not exist", async () => {
  const [line] = await complaint(["serve", "-c", "configs/nothing.yaml"], 2);
  assertStringIncludes(line!, "configs/nothing.yaml: does not exist");
});

Deno.test("a configuration that does not exist is said to come from CACHESERVER_CONFIG", async () => {
  const env = { CACHESERVER_CONFIG: "configs/nothing.yaml" };
  const [line] = await complaint(["check"], 2, { env });
  assertStringIncludes(line!, "configs/nothing.yaml (from CACHESERVER_CONFIG): does not exist");
});

Deno.test("an override in the environment counts, and an unknown one is an error", async () => {
  const { code, stdout } = await runProgram(["check"], { env: { CACHESERVER_LOG_LEVEL: "debug" } });
  assertEquals(code, 0);
  assertStringIncludes(stdout, "level: debug # CACHESERVER_LOG_LEVEL");
  const [line] = await complaint(["check"], 2, { env: { CACHESERVER_LOG_LEVEL: "loud" } });
  assertStringIncludes(line!, "CACHESERVER_LOG_LEVEL");
});

Deno.test("check prints the configuration in force and masks what is secret", async () => {
  const { code, stdout, stderr } = await runProgram([
    "check",
    "--conf=configs/config.local.yaml",
    "--set",
    "data.redis.password=hunter2",
    "--set",
    "data.database.source=root:hunter3@tcp(127.0.0.1:3306)/secrets?loc=Local",
  ]);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "source: root:***@tcp(127.0.0.1:3306)/secrets?loc=Local");
  assertMatch(stdout, /password: "\*\*\*"/);
  assert(!stdout.includes("hunter"));
});

Deno.test("check says that the configuration is built in where none is named, and no path inside the program", async () => {
  const { code, stdout } = await runProgram(["check"]);
  assertEquals(code, 0);
  assertEquals(stdout.split("\n", 1)[0], "# the embedded profile, which is built in");
});

Deno.test("the error of a configuration without a database names the embedded profile", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-config-" });
  try {
    const path = `${folder}/config.yaml`;
    for (const text of ["", "log: { level: info }\n", "data: { database: {} }\n"]) {
      await Deno.writeTextFile(path, text);
      const lines = await complaint(["serve", "--config", path], 2);
      assertEquals(lines.length, 1, lines.join("\n"));
      assertMatch(lines[0]!, /data\.database: is missing; expected .*driver sqlite.*the embedded profile/);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("options may come before the command, and a password behind them is not taken for one", async () => {
  for (
    const args of [
      ["--set", "log.level=warn", "check"],
      ["--set=log.level=warn", "check"],
      ["-c", "configs/config.embedded.yaml", "--set", "log.level=warn", "check"],
      ["-cconfigs/config.embedded.yaml", "check", "--set", "log.level=warn"],
    ]
  ) {
    const { code, stdout, stderr } = await runProgram(args);
    assertEquals([code, stderr], [0, ""], args.join(" "));
    assertStringIncludes(stdout, "level: warn # flag");
  }
  const [line] = await complaint(["--set", "data.redis.password", "hunter2", "check"], 2);
  assert(!line!.includes("hunter2"), line);
  const [health] = await complaint(["--addr", "127.0.0.1:1", "--service", "redis", "health"], 1);
  assertStringIncludes(health!, "127.0.0.1:1");
});

Deno.test("version and help print to standard output", async () => {
  const version = await runProgram(["version"]);
  assertEquals([version.code, version.stderr], [0, ""]);
  assertStringIncludes(version.stdout, `cacheserver ${manifest.version} (`);
  await Promise.all([["help"], ["--help"], ["serve", "-h"]].map(async (args) => {
    const help = await runProgram(args);
    assertEquals([help.code, help.stderr], [0, ""]);
    assertStringIncludes(help.stdout, "Usage: cacheserver");
  }));
});

Deno.test("wrong usage is exit code 2 and one line", async () => {
  const wrong = [
    [["frobnicate"], '"frobnicate" is not a command'],
    [["serve", "--port", "1"], "--port"],
    [["serve", "--set", "nothing"], "PATH=VALUE"],
    [["check", "-c", "a", "--config", "b"], "given 2 times"],
    [["version", "now"], '"now"'],
  ] as const;
  await Promise.all(wrong.map(async ([args, said]) => {
    const lines = await complaint(args, 2);
    assertEquals(lines.length, 1, lines.join("\n"));
    assertStringIncludes(lines[0]!, said);
  }));
});
