import { assertEquals } from "@std/assert";
import manifest from "../../../deno.json" with { type: "json" };
import { v8Flags } from "../../../src/build/v8_flags.ts";

Deno.test("v8Flags() finds V8's flags in a task, and no other", () => {
  assertEquals(v8Flags("deno run --quiet --v8-flags=--a,--b=1 --allow-net main.ts serve"), [
    "--v8-flags=--a,--b=1",
  ]);
  assertEquals(v8Flags("deno run main.ts"), []);
});

Deno.test("deno task dev and deno task start run on the same V8, without pretenuring", () => {
  const flags = ["--v8-flags=--no-allocation-site-pretenuring"];
  assertEquals([v8Flags(manifest.tasks.dev), v8Flags(manifest.tasks.start)], [flags, flags]);
});
