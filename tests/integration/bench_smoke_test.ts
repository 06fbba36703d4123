import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SCENARIOS } from "../bench/scenarios.ts";
import { measureStaleness } from "../bench/staleness.ts";
import { testWithServers } from "../support/servers.ts";

const MAIN = decodeURIComponent(new URL("../bench/main.ts", import.meta.url).pathname);

interface Measured {
  readonly name: string;
  readonly setup: string;
  readonly generator: string;
  readonly callsPerSecond: { readonly median: number };
  readonly p50Ms: { readonly median: number };
  readonly p99Ms: { readonly median: number };
  readonly failures: Readonly<Record<string, number>>;
  readonly runs: readonly unknown[];
}

interface Report {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly measurements: readonly Measured[];
  readonly memory: readonly { readonly entries: number; readonly residentBytes: number }[];
}

testWithServers(["redis", "mysql"], "deno task bench --quick has a number for each of its rows", async () => {
  const json = await Deno.makeTempFile({ prefix: "cacheserver-bench-", suffix: ".json" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--permission-set=test", MAIN, "--quick", "--json", json],
      stdin: "null",
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const report = JSON.parse(await Deno.readTextFile(json)) as Report;
    const markdown = new TextDecoder().decode(stdout);

    for (const { name, setup } of SCENARIOS) {
      const rows = report.measurements.filter((row) => row.name === name && row.setup === setup);
      assert(rows.some(({ generator }) => generator === "deno"), `${name} (${setup}) was not measured`);
      for (const row of rows) {
        assertEquals(row.failures, {}, `${name} (${setup}) by ${row.generator}`);
        assertEquals(row.runs.length, 1);
        assert(row.callsPerSecond.median > 0);
        assert(row.p50Ms.median > 0 && row.p50Ms.median <= row.p99Ms.median);
      }
      assertStringIncludes(markdown, `| ${name} | ${setup} |`);
    }
    assert(report.memory.length > 0 && report.memory.every(({ residentBytes }) => residentBytes > 0));
    for (const part of ["cpu", "cores", "kernel", "deno", "redis", "database"]) {
      assertStringIncludes(markdown, String(report.machine[part]));
    }
  } finally {
    await Deno.remove(json);
  }
});

testWithServers(["redis"], "measureStaleness() has a number for each write, and none is large", async () => {
  const stalenessMs = await measureStaleness(20);
  assertEquals(stalenessMs.length, 20);
  assert(stalenessMs.every((ms) => ms >= 0 && ms < 2_000), String(stalenessMs));
});
