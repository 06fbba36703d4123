import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PARTS } from "../bench/parts.ts";
import type { Metric } from "../bench/report/metrics.ts";
import type { Results, Row } from "../bench/report/results.ts";
import { SCENARIOS } from "../bench/scenarios.ts";
import { measureStaleness } from "../bench/staleness/measure_staleness.ts";
import { testWithServers } from "../support/servers/servers.ts";

const MAIN = decodeURIComponent(new URL("../bench/main.ts", import.meta.url).pathname);

/** Every row of a part has one of these. The CPU time of a short run may be 0. */
const CALL_METRICS: readonly Metric[] = ["callsPerSecond", "p50Ms", "p99Ms", "serviceCpuUs"];
const METRICS_OF_PART: Readonly<Record<string, readonly Metric[]>> = {
  calls: [...CALL_METRICS, "p999Ms"],
  transports: CALL_METRICS,
  "value-sizes": [...CALL_METRICS, "mebibytesPerSecond"],
  replicas: CALL_METRICS,
  alternatives: ["callsPerSecond", "p50Ms", "p99Ms"],
  "secret-writes": ["callsPerSecond", "p50Ms", "p99Ms"],
  staleness: ["p50Ms", "p99Ms", "mostMs"],
  "invalidation-traffic": CALL_METRICS,
  memory: ["residentMiB", "countedMiB", "bytesPerEntry"],
  eviction: CALL_METRICS,
  "first-call": ["firstCallMs", "residentMiB"],
};

async function bench(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", MAIN, ...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A path without a file; disposal removes the file that the test puts there. */
async function temporaryJson(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempFile({ prefix: "cacheserver-bench-", suffix: ".json" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

function rowOf({ sections }: Results, part: string, ...labels: readonly string[]): Row | undefined {
  return sections.find((section) => section.part === part)?.rows
    .find((row) => labels.every((label, at) => row.labels[at] === label));
}

testWithServers(["redis", "mysql"], "deno task bench --quick has figures for each of its rows", async () => {
  await using json = await temporaryJson();
  const { code, stdout, stderr } = await bench(["--quick", "--json", json.path]);
  assertEquals(code, 0, stderr);
  const results = JSON.parse(await Deno.readTextFile(json.path)) as Results;

  assertEquals(results.sections.map(({ part }) => part), PARTS.map(({ name }) => name));
  for (const { part, rows } of results.sections) {
    assert(rows.length > 0, `${part} has no rows`);
    for (const { labels, figures, failures = {} } of rows) {
      const name = `${part}: ${labels.join(", ")}`;
      assertEquals(failures, {}, name);
      for (const metric of METRICS_OF_PART[part]!) {
        assert(figures[metric] !== undefined, `${name} has no ${metric}`);
      }
      const { callsPerSecond, p50Ms, p99Ms } = figures;
      if (callsPerSecond !== undefined) assert(callsPerSecond.median > 0, name);
      if (p50Ms !== undefined) assert(p50Ms.median <= p99Ms!.median, name);
      assertEquals(stdout.split("\n").filter((line) => line.includes(labels[0]!)).length > 0, true, name);
    }
  }
  for (const { name, setup } of SCENARIOS) {
    assert(rowOf(results, "calls", name, setup), `${name} (${setup}) was not measured`);
  }
  assert(rowOf(results, "alternatives", "Get from Redis", "bare ioredis, auto-pipelining")?.figures.ratio);
  assert(rowOf(results, "alternatives", "GetSecret from MySQL", "bare mysql2, prepared")?.figures.ratio);
  assert(rowOf(results, "invalidation-traffic", "Set", "1")!.figures.replicaBytes!.median >= 40);
  for (const part of ["revision", "cpu", "cores", "kernel", "deno", "redis", "database"] as const) {
    assertStringIncludes(stdout, String(results.machine[part]));
  }
});

Deno.test("deno task bench --compare ends with 1 and names what is worse than in the earlier JSON", async () => {
  await using json = await temporaryJson();
  const args = ["--quick", "--only", "memory", "--json", json.path];
  assertEquals((await bench(args)).code, 0);
  const measured = await Deno.readTextFile(json.path);
  const impossible = measured.replaceAll(/"(median|min|max)": [\d.]+/g, '"$1": 0.001');
  await Deno.writeTextFile(json.path, impossible);

  const { code, stderr } = await bench([...args, "--compare", json.path]);
  assertEquals(code, 1, stderr);
  assertStringIncludes(stderr, "WORSE: memory: 10,000");
  assertStringIncludes(stderr, "3 figures compared, 3 worse");
});

Deno.test("deno task bench ends with 2 before it measures when the earlier results cannot be read", async () => {
  await using malformed = await temporaryJson();
  const machine = { machine: {}, effort: {} };
  const contents = [null, { sections: 5 }, { ...machine, sections: [{ part: "calls", rows: [null] }] }];
  for (const content of ["", ...contents.map((content) => JSON.stringify(content))]) {
    await Deno.writeTextFile(malformed.path, content);
    await assertRefused(["--compare", malformed.path], malformed.path);
  }
  await assertRefused(["--compare", "/nowhere.json"], "/nowhere.json");
});

Deno.test("deno task bench ends with 2 before it measures when it cannot write its JSON", async () => {
  for (const path of ["/dev/null/bench.json", "/proc/bench.json", "/"]) {
    await assertRefused(["--json", path], `Cannot write ${path} for --json`);
  }
});

/** Fails unless the benchmark measures nothing and ends with one line that includes this text. */
async function assertRefused(args: readonly string[], text: string): Promise<void> {
  const { code, stdout, stderr } = await bench(args);
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, text);
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  assertEquals(stdout, "");
}

testWithServers(["redis"], "measureStaleness() has a number for each write, and none is large", async () => {
  const stalenessMs = await measureStaleness(20);
  assertEquals(stalenessMs.length, 20);
  assert(stalenessMs.every((ms) => ms >= 0 && ms < 2_000), String(stalenessMs));
});
