import { assertEquals } from "@std/assert";
import { findings } from "./findings.ts";

const TABLE = "src/api/cache_server.ts";

/** The table of methods with these rows. */
function table(names: readonly string[]): string {
  return `const methods = { ${names.map((name) => `${name}: method(work)`).join(", ")} };`;
}

const ALL = ["Set", "Del", "Get", "SetSecret", "DelSecret", "GetSecret"];

Deno.test("methodsRule accepts the table that serves every rpc of the proto", () => {
  assertEquals(findings(TABLE, table(ALL)), []);
  assertEquals(findings("src/api/unary.ts", table([])), []);
});

Deno.test("methodsRule refuses an rpc that nothing serves, and a method that is no rpc", () => {
  assertEquals(findings(TABLE, table(ALL.slice(1))), [
    "cacheserver/methods: src/api/cache_server.ts does not serve rpc Set",
  ]);
  assertEquals(findings(TABLE, table([...ALL, "Touch"])), [
    "cacheserver/methods: cacheserver.proto has no rpc Touch",
  ]);
});
