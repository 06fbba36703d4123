import { assert } from "@std/assert";
import { ConnectionLimiter } from "../../../src/core/connection_limiter.ts";

Deno.test("ConnectionLimiter.acquire() counts connections overall and by address", () => {
  const limiter = new ConnectionLimiter({ maxConnections: 3, maxConnectionsPerAddress: 2 });
  assert(limiter.acquire("a"));
  assert(limiter.acquire("a"));
  assert(!limiter.acquire("a"));
  assert(limiter.acquire("b"));
  assert(!limiter.acquire("c"));
  limiter.release("a");
  assert(limiter.acquire("c"));
  assert(!limiter.acquire("a"));
});
