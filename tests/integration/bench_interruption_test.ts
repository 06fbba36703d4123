import { assert, assertEquals } from "@std/assert";
import { testWithServers } from "../support/servers/servers.ts";
import { ownVariables, readLines } from "../support/service/program.ts";
import { waitFor } from "../support/wait_for.ts";

const MAIN = decodeURIComponent(new URL("../bench/main.ts", import.meta.url).pathname);

/** A benchmark that starts its own servers and keeps all temporary folders in `folder`. */
function spawnBench(folder: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", MAIN, "--only", "memory", "--json", `${folder}/bench.json`],
    clearEnv: true,
    env: { ...ownVariables(), TMPDIR: folder },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Resolves once the database's folder exists: by then Redis runs, and the database is being set up. */
async function settingUp(folder: string): Promise<void> {
  await waitFor(() => namesIn(folder).some((name) => name.startsWith("cacheserver-mariadb-")), {
    what: "the benchmark to set up its database",
    timeoutMs: 20_000,
  });
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

for (const [signal, expectedCode] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  testWithServers(
    ["redis", "mysql"],
    `deno task bench stops what it has begun to start at ${signal}`,
    async () => {
      const folder = await Deno.makeTempDir({ prefix: "cacheserver-bench-" });
      try {
        const process = spawnBench(folder);
        await settingUp(folder);
        process.kill(signal);
        const { code, stderr } = await process.output();
        assertEquals(new TextDecoder().decode(stderr), `Interrupted by ${signal}\n`);
        assertEquals(code, expectedCode);
        assertEquals(namesIn(folder), ["bench.json"]);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}

Deno.test("interruptible() ends the process at the second signal even if its work never ends", async () => {
  const program = new URL("../bench/interruption.ts", import.meta.url).href;
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--quiet",
      `import { interruptible } from "${program}";
      const never = () => new Promise(() => setInterval(() => console.log("at work"), 10));
      Deno.exit(await interruptible(never, console.log));`,
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const lines: string[] = [];
  const output = readLines(process.stdout, (line) => lines.push(line));
  await waitFor(() => lines.length > 0, { what: "the program to be at work" });
  process.kill("SIGINT");
  await waitFor(() => lines.includes("Interrupted by SIGINT"), { what: "the program to say so" });
  let signals = 1;
  const code = process.status.then(({ code }) => code);
  for (let ended = false; !ended; signals++) {
    process.kill("SIGTERM");
    ended = await Promise.race([code.then(() => true), pause(100).then(() => false)]);
  }
  await output;
  assertEquals(await code, 143);
  assertEquals(lines.filter((line) => line !== "at work"), ["Interrupted by SIGINT"]);
  assert(signals > 2, "a second signal right after the first counts as the same one");
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
