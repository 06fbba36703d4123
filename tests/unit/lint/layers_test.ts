import { assertEquals } from "@std/assert";
import { findings } from "./findings.ts";

Deno.test("layersRule accepts imports of the same folder and of the folders that the table allows", () => {
  assertEquals(findings("src/cache/chain.ts", `import { cacheKey } from "../core/key.ts";`), []);
  assertEquals(findings("src/cache/chain.ts", `import { Fence } from "./fence.ts";`), []);
  assertEquals(findings("src/transport/grpc_js/server.ts", `export * from "../status.ts";`), []);
  assertEquals(
    findings("src/cli/version.ts", `import manifest from "../../deno.json" with { type: "json" };`),
    [],
  );
  assertEquals(findings("src/app/app.ts", `import { LruMemory } from "../store/memory/lru.ts";`), []);
  assertEquals(findings("main.ts", `import { main } from "./src/cli/main.ts";`), []);
});

Deno.test("layersRule refuses every form of import that points the wrong way", () => {
  const refused = ["cacheserver/layers: src/store must not import src/cache/chain.ts"];
  assertEquals(findings("src/store/memory/lru.ts", `import { Chain } from "../../cache/chain.ts";`), refused);
  assertEquals(findings("src/store/memory/lru.ts", `export { Chain } from "../../cache/chain.ts";`), refused);
  assertEquals(findings("src/store/memory/lru.ts", `export * from "../../cache/chain.ts";`), refused);
  assertEquals(findings("src/store/memory/lru.ts", `await import("../../cache/chain.ts");`), refused);
  const asType = ["cacheserver/layers: src/store must not import src/cache/chain.ts (as a type)"];
  assertEquals(
    findings("src/store/memory/lru.ts", `import type { Chain } from "../../cache/chain.ts";`),
    asType,
  );
  assertEquals(
    findings("src/store/memory/lru.ts", `export type C = import("../../cache/chain.ts").Chain;`),
    asType,
  );
});

Deno.test("layersRule lets src/observe import types of src/cache, not values", () => {
  assertEquals(
    findings("src/observe/log.ts", `import type { CacheObserver } from "../cache/observer.ts";`),
    [],
  );
  assertEquals(findings("src/observe/log.ts", `import { CacheObserver } from "../cache/observer.ts";`), [
    "cacheserver/layers: src/observe must not import src/cache/observer.ts",
  ]);
});

Deno.test("layersRule lets src/app import all but src/cli, and main.ts only src/cli", () => {
  assertEquals(findings("src/app/app.ts", `import { main } from "../cli/main.ts";`), [
    "cacheserver/layers: src/app must not import src/cli/main.ts",
  ]);
  assertEquals(findings("main.ts", `import { App } from "./src/app/app.ts";`), [
    "cacheserver/layers: main.ts must not import ./src/app/app.ts",
  ]);
});

Deno.test("layersRule lets src/cli import the contract of src/api, not its handlers", () => {
  assertEquals(findings("src/cli/get.ts", `import { contract } from "../api/contract.ts";`), []);
  assertEquals(findings("src/cli/get.ts", `import { handlers } from "../api/handlers.ts";`), [
    "cacheserver/layers: src/cli must not import src/api/handlers.ts",
  ]);
});

Deno.test("layersRule refuses a folder without a row, and imports from src of files outside it", () => {
  assertEquals(findings("src/utils/strings.ts", `export const x = 1;`), [
    "cacheserver/layers: src/utils is no layer",
  ]);
  assertEquals(findings("src/app/app.ts", `import { waitFor } from "../../tests/support/wait_for.ts";`), [
    "cacheserver/layers: src/app must not import tests/support/wait_for.ts",
  ]);
});

Deno.test("layersRule ignores tests", () => {
  assertEquals(findings("tests/unit/app_test.ts", `import { main } from "../../src/cli/main.ts";`), []);
});
