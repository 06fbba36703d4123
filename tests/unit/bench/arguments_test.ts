import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DEFAULT_JSON, type Options, parseArguments } from "../../bench/arguments.ts";
import { FULL, QUICK } from "../../bench/effort.ts";

const PARTS = ["calls", "memory", "first-call"];

function parsed(...args: string[]): Options {
  const options = parseArguments(args, PARTS);
  assert(typeof options !== "string", String(options));
  return options;
}

function complaint(...args: string[]): string {
  const options = parseArguments(args, PARTS);
  assert(typeof options === "string", args.join(" "));
  return options;
}

Deno.test("parseArguments() measures everything in full by default", () => {
  assertEquals(parsed(), {
    effort: FULL,
    only: [],
    json: DEFAULT_JSON,
    compare: undefined,
    readme: false,
    help: false,
  });
  assertEquals(parsed("--quick", "--runs", "5").effort, { ...QUICK, runs: 5 });
  assertEquals(parsed("--only", "calls,memory", "--only", "first-call").only, PARTS);
  assertEquals(parsed("--compare", "old.json", "--json", "new.json").compare, "old.json");
});

Deno.test("parseArguments() names what is wrong with unknown options and values", () => {
  assertStringIncludes(complaint("--only", "call"), "--only is call, expected calls, memory, first-call");
  assertStringIncludes(complaint("--runs", "0"), "--runs is 0, expected a whole number from 1 to 999");
  assertStringIncludes(complaint("--fast"), "--fast");
  assertStringIncludes(complaint("--readme", "--quick"), "--readme takes a full run");
  assertStringIncludes(complaint("--readme", "--only", "calls"), "--readme takes a full run");
});
