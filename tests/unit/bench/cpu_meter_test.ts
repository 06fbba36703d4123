import { assert, assertEquals } from "@std/assert";
import { CpuMeter } from "../../bench/load/cpu_meter.ts";

/** No process ever has this number: Linux's go up to 2^22. */
const NOBODY = 2 ** 30;

Deno.test("CpuMeter.perCallUs() leaves out a role with a process that cannot be read", () => {
  assertEquals(new CpuMeter({ service: [NOBODY], redis: [Deno.pid, NOBODY] }).perCallUs(10), {});
});

Deno.test("CpuMeter.perCallUs() divides the time that was spent since by the calls", async () => {
  const program = new URL("../../bench/load/cpu_meter.ts", import.meta.url).href;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--quiet",
      `import { CpuMeter } from "${program}";
      import process from "node:process";
      const meter = new CpuMeter({ service: [Deno.pid] });
      for (const began = process.cpuUsage().user; process.cpuUsage().user - began < 100_000;);
      console.log(JSON.stringify(meter.perCallUs(10).service ?? null));`,
    ],
  }).output();
  const perCallUs = JSON.parse(new TextDecoder().decode(stdout));
  // Where there is no /proc, nothing is said. What is said is right to 10 ms, and the process does more than loop.
  assert(perCallUs === null || perCallUs >= 9_000 && perCallUs < 100_000, String(perCallUs));
});
