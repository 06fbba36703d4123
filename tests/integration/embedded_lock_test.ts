/** One process a database file: deletes by one process would not invalidate the memory of a second one. */
import { backup as backUp, DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { RunningService, serveArguments, startService } from "../support/service/service.ts";
import { embeddedProfile, type ServiceProfile } from "../support/service/profile.ts";
import { type ProgramOptions, runProgram, spawnProgram } from "../support/service/program.ts";
import { findProgram } from "../support/servers/find_program.ts";

const ENTRY = { namespace: "n", key: "k" };
const VALUE = { "type_url": "t", value: new Uint8Array([1]) };

function pathOf(profile: ServiceProfile): string {
  return String(profile.settings["data.database.source"]);
}

/** Starts a second service, which must refuse to run; resolves to its lines on standard error. */
async function refusalOf(
  profile: ServiceProfile,
  set: Readonly<Record<string, string>> = {},
  options: ProgramOptions = {},
): Promise<string[]> {
  const args = serveArguments(profile, set);
  await using second = new RunningService(spawnProgram(args, { ...profile.programOptions, ...options }));
  const serves = second.logged("serving").then(() => "serves", () => "ended");
  assertEquals(await Promise.race([second.ended(), serves.then((how) => how === "ended" ? 1 : how)]), 1);
  await second.ended();
  return second.errors;
}

Deno.test("a second service on a served file refuses to start and names the file and the process that holds it", async () => {
  await using profile = await embeddedProfile();
  await using first = await startService(profile);
  using client = new CacheClient(first.address);
  await client.setSecret({ key: "alice", name: "n" });
  const [line = "", ...more] = await refusalOf(profile);
  assertEquals(more, []);
  assertStringIncludes(
    line,
    `Cannot open the database file ${pathOf(profile)}: process ${first.pid} on host `,
  );
  assertStringIncludes(line, "has it; stop that one, or name another file in data.database.source");
  await client.deleteSecret({ key: "alice" });
  assertEquals((await refusal(client.getSecret({ key: "alice" }))).reason, "SECRET_NOT_FOUND");
});

Deno.test("a second service refuses a served file under another name", async () => {
  await using profile = await embeddedProfile();
  await using first = await startService(profile);
  const link = `${profile.programOptions.folder}/data/link.db`;
  await Deno.symlink(pathOf(profile), link);
  const [line = ""] = await refusalOf(profile, { "data.database.source": link });
  assertStringIncludes(line, `Cannot open the database file ${link}: process ${first.pid} `);
});

const mayUnshare = findProgram("unshare") !== undefined && Deno.uid() === 0;

Deno.test({
  name: "a second service in a container of its own refuses a file of a shared volume",
  ignore: !mayUnshare,
  fn: async () => {
    await using profile = await embeddedProfile();
    await using first = await startService(profile);
    const launcher = ["unshare", "--pid", "--fork", "--mount-proc", "--uts", "--ipc", "--net", "--"];
    const [line = ""] = await refusalOf(profile, {}, { launcher });
    assertStringIncludes(line, `process ${first.pid} on host ${Deno.hostname()} has it`);
  },
});

Deno.test("migrate refuses a served file and changes nothing in it", async () => {
  await using profile = await embeddedProfile();
  await using first = await startService(profile);
  const source = ["--set", `data.database.source=${pathOf(profile)}`];
  const migrate = await runProgram(["migrate", "-c", profile.config, ...source], profile.programOptions);
  assertEquals([migrate.code, migrate.stdout], [1, ""]);
  assertMatch(
    migrate.stderr,
    new RegExp(`^cacheserver: Cannot open .*: process ${first.pid} on host .*\\n$`),
  );
});

Deno.test("a service that starts before the last one has ended waits for it to end", async () => {
  await using profile = await embeddedProfile();
  await using first = await startService(profile);
  using client = new CacheClient(first.address);
  await client.set({ ...ENTRY, value: VALUE });
  const starting = startService(profile);
  // The second service reaches the lock once it has opened the lock file. This cannot be observed, and is not required.
  await client.get(ENTRY);
  assertEquals(await first.stop(), 0);
  await using second = await starting;
  using other = new CacheClient(second.address);
  assertEquals([...(await other.get(ENTRY)).value.value], [1]);
});

Deno.test("a service that is killed leaves its file to the next one at once", async () => {
  await using profile = await embeddedProfile();
  const first = await startService(profile);
  await first.kill();
  const beganMs = performance.now();
  await using second = await startService(profile);
  assertEquals(second.errors, []);
  // Less than a service waits for a file in use.
  assert(performance.now() - beganMs < 5_000);
});

Deno.test("a served file can be read and backed up by another program", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  using client = new CacheClient(service.address);
  await client.setSecret({ key: "alice", name: "n" });
  const backup = `${profile.programOptions.folder}/backup.db`;
  const reader = new DatabaseSync(pathOf(profile), { readOnly: true });
  try {
    await backUp(reader, backup);
  } finally {
    reader.close();
  }
  const copy = new DatabaseSync(backup);
  try {
    assertEquals(copy.prepare("SELECT secretId FROM secret").all().map(({ secretId }) => secretId), [
      "alice",
    ]);
  } finally {
    copy.close();
  }
  await client.setSecret({ key: "bob", name: "n" });
});
