import { assertEquals } from "@std/assert";
import { type CacheKey, cacheKey } from "../../../../../src/core/key.ts";
import { JoinedInvalidations } from "../../../../../src/store/redis/cluster/joined_invalidations.ts";

/** The calls of the target, in order. */
function setUp() {
  const calls: string[] = [];
  const joined = new JoinedInvalidations({
    invalidate: (key: CacheKey) => calls.push(`drop ${key}`),
    invalidateAll: () => calls.push("drop all"),
    confirm: (atMs) => calls.push(`confirm ${atMs}`),
    suspend: () => calls.push("suspend"),
    resume: (atMs) => calls.push(`resume ${atMs}`),
  });
  const take = () => calls.splice(0);
  return { joined, take };
}

Deno.test("JoinedInvalidations resumes with the last source, as of the oldest", () => {
  const { joined, take } = setUp();
  const [a, b] = [joined.join(), joined.join()];
  a.resume(1);
  assertEquals(take(), []);
  a.confirm(5);
  b.resume(3);
  assertEquals(take(), ["resume 3"]);
  a.confirm(9);
  b.confirm(7);
  assertEquals(take(), ["confirm 3", "confirm 7"]);
});

Deno.test("JoinedInvalidations suspends once when any source does, and resumes when that one has", () => {
  const { joined, take } = setUp();
  const [a, b] = [joined.join(), joined.join()];
  a.resume(1);
  b.resume(2);
  take();
  a.suspend();
  b.suspend();
  b.confirm(3);
  b.resume(4);
  assertEquals(take(), ["suspend"]);
  a.resume(5);
  assertEquals(take(), ["resume 4"]);
});

Deno.test("JoinedInvalidations suspends for a new source, and resumes without one that has left", () => {
  const { joined, take } = setUp();
  const a = joined.join();
  a.resume(1);
  const b = joined.join();
  assertEquals(take(), ["resume 1", "suspend"]);
  b.leave();
  assertEquals(take(), ["resume 1"]);
  b.resume(2);
  b.suspend();
  assertEquals(take(), [], "who has left is not listened to");
});

Deno.test("JoinedInvalidations passes on the invalidated keys of every source, resumed or not", () => {
  const { joined, take } = setUp();
  const [a, b] = [joined.join(), joined.join()];
  const key = cacheKey("n", "k");
  a.invalidate(key);
  b.invalidateAll();
  assertEquals(take(), [`drop ${key}`, "drop all"]);
});
