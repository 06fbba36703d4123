/** The executable that CACHESERVER_TEST_PROGRAM names: what an operator gets who has nothing else. */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { CacheClient } from "../support/client/client.ts";
import { documentPaths, documentText } from "../support/runner/document.ts";
import { RunningService } from "../support/service/service.ts";
import { compiledProgram, runProgram, shippedConfig, spawnProgram } from "../support/service/program.ts";

/** From the start of the process to its first answer, on a machine that does nothing else. */
const MAX_START_MS = 300;

/** Other tests run at the same time: the best of so many starts says what a start takes. */
const STARTS = 10;

/** The usual ports may be in use. */
const FREE_PORTS = {
  CACHESERVER_SERVER_GRPC_ADDR: "127.0.0.1:0",
  CACHESERVER_SERVER_HTTP_ADDR: "127.0.0.1:0",
};

/** An empty folder, gone when it is disposed of. */
async function emptyFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "cacheserver-compiled-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Starts the executable in a folder, without any argument; takes calls once this resolves. */
async function startIn(folder: string): Promise<RunningService> {
  const service = new RunningService(spawnProgram([], { folder, env: FREE_PORTS }));
  await service.logged("serving");
  return service;
}

function testCompiled(title: string, body: (folder: string) => Promise<void>): void {
  Deno.test(title, async () => {
    await using folder = await emptyFolder();
    await body(folder.path);
  });
}

if (compiledProgram() !== undefined) {
  testCompiled(
    "the executable serves from an empty folder, and finds its data when it is started again",
    async (folder) => {
      const name = { namespace: "n", key: "k" };
      const value = { "type_url": "t", value: new TextEncoder().encode("value") };
      {
        await using service = await startIn(folder);
        using client = new CacheClient(service.address);
        await client.set({ ...name, value });
        assertEquals(await service.stop(), 0);
        assertEquals(service.errors, []);
      }
      assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name), ["data"]);
      await using service = await startIn(folder);
      using client = new CacheClient(service.address);
      assertEquals(new Uint8Array((await client.get(name)).value.value), value.value);
    },
  );

  testCompiled("the executable says its version and its commit", async (folder) => {
    const { code, stdout } = await runProgram(["version"], { folder });
    assertEquals(code, 0);
    assertStringIncludes(stdout, `cacheserver ${manifest.version} (commit `);
    assertMatch(stdout, /\(commit [\w.-]+, deno \d/);
  });

  Deno.test("the executable has no document in it", async () => {
    const program = Buffer.from(await Deno.readFile(compiledProgram()!));
    // Files are embedded as they are: this one shows that the search would find them.
    assert(program.includes(Deno.readTextFileSync(shippedConfig("config.embedded.yaml"))));
    for (const path of documentPaths()) assertEquals(program.includes(documentText(path)), false, path);
  });

  testCompiled("the executable keeps its database in the configured folder", async (folder) => {
    const path = `${folder}/elsewhere/c.db`;
    const env = { ...FREE_PORTS, CACHESERVER_DATA_DATABASE_SOURCE: path };
    await using service = new RunningService(spawnProgram([], { folder, env }));
    await service.logged("serving");
    assert(Deno.statSync(path).isFile);
    assertEquals(await service.stop(), 0);
    assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name), ["elsewhere"]);
  });

  testCompiled(`the executable answers its first call within ${MAX_START_MS} ms`, async (folder) => {
    const tookMs: number[] = [];
    for (let start = 0; start < STARTS; start++) {
      const beganMs = performance.now();
      await using service = await startIn(folder);
      using client = new CacheClient(service.address);
      assertEquals(await client.health(""), "SERVING");
      tookMs.push(Math.round(performance.now() - beganMs));
    }
    assert(Math.min(...tookMs) < MAX_START_MS, `starts took ${tookMs.join(", ")} ms`);
  });
}
