import { assertEquals } from "@std/assert";
import { findings } from "./findings.ts";

Deno.test("driversRule accepts a package in its own file, built-in modules of Node anywhere, and all in tests", () => {
  assertEquals(findings("src/store/redis/client.ts", `import { Redis } from "ioredis";`), []);
  assertEquals(
    findings("src/transport/grpc_js/call.ts", `import type { Metadata } from "@grpc/grpc-js";`),
    [],
  );
  assertEquals(findings("src/store/memory/lru.ts", `import { Buffer } from "node:buffer";`), []);
  assertEquals(findings("tests/integration/get_test.ts", `import { Redis } from "ioredis";`), []);
});

Deno.test("driversRule refuses a package in any other file, also its subpaths, versions and types", () => {
  const refused = ["cacheserver/drivers: src/store/redis.ts must not import mysql2"];
  assertEquals(findings("src/store/redis.ts", `import { createPool } from "mysql2";`), refused);
  assertEquals(findings("src/store/redis.ts", `import { createPool } from "mysql2/promise";`), refused);
  assertEquals(findings("src/store/redis.ts", `import { createPool } from "npm:mysql2@3/promise";`), refused);
  assertEquals(findings("src/store/redis.ts", `import type { Pool } from "mysql2";`), refused);
  assertEquals(findings("src/store/redis.ts", `import { DatabaseSync } from "node:sqlite";`), [
    "cacheserver/drivers: src/store/redis.ts must not import node:sqlite",
  ]);
  assertEquals(findings("src/api/x.ts", `import { Server } from "@grpc/grpc-js/build/src/server.js";`), [
    "cacheserver/drivers: src/api/x.ts must not import @grpc/grpc-js",
  ]);
});

Deno.test("driversRule refuses a package that has no row", () => {
  assertEquals(findings("src/core/key.ts", `import { chunk } from "lodash";`), [
    "cacheserver/drivers: src/core/key.ts must not import lodash",
  ]);
});
