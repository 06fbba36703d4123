import { assert, assertEquals } from "@std/assert";
import { cpuMsIn, residentBytesIn } from "../../bench/process_figures.ts";

Deno.test("cpuMsIn() adds user and system time, whatever the program is called", () => {
  const times = "S 1 2 3 0 -1 4194560 5 6 7 8 1234 56 9 10 20 0 11 0";
  assertEquals(cpuMsIn(`42 (deno) ${times}`), 12_900);
  assertEquals(cpuMsIn(`42 (a) b (c) 9 9 9) ${times}`), 12_900);
});

Deno.test("residentBytesIn() reads VmRSS, which a process that has ended does not have", () => {
  assertEquals(
    residentBytesIn("Name:\tdeno\nVmHWM:\t 9 kB\nVmRSS:\t  112300 kB\nThreads:\t7\n"),
    112_300 * 1024,
  );
  assertEquals(residentBytesIn("Name:\tdeno\nState:\tZ (zombie)\n"), undefined);
  assert(!Number.isNaN(residentBytesIn("VmRSS:\t0 kB\n")));
});
