import { assertEquals, assertNotEquals } from "@std/assert";
import { secretCacheKey } from "../../../../src/core/key.ts";
import { redisLeaseKey } from "../../../../src/store/redis/lease_key.ts";

/** Prefix, secret, lease key: each pair has one slot by the specification's rule, worked out by hand. */
const LEASE_KEYS = [
  ["cs:", "alice", "cs:lease:{cs:secret:alice}"],
  ["cs:", "a{7}b", "cs:lease:{7}secret:a{7}b"],
  ["cs:", "{7}", "cs:lease:{7}secret:{7}"],
  ["cs:", "a{{7}b", "cs:lease:{{7}secret:a{{7}b"],
  ["cs:", "a{7}{8}", "cs:lease:{7}secret:a{7}{8}"],
  ["cs:", "a{b", "cs:lease:{cs:secret:a{b}"],
  ["{cs}:", "alice", "{cs}:lease:{cs}secret:alice"],
  ["{cs}:", "a}b{7}", "{cs}:lease:{cs}secret:a}b{7}"],
  ["cs:", "a}b", undefined],
  ["cs:", "a{}b", undefined],
  ["cs:", "a{}{7}", undefined],
  ["c{s:", "alice", undefined],
  ["c{s:", "a}b", undefined],
] as const;

for (const [prefix, secret, leaseKey] of LEASE_KEYS) {
  const name = leaseKey ?? "undefined";
  Deno.test(`redisLeaseKey() of ${prefix}secret:${secret} is ${name}`, () => {
    assertEquals(redisLeaseKey(prefix, secretCacheKey(secret)), leaseKey);
  });
}

Deno.test("redisLeaseKey() gives different secrets different keys", () => {
  const key = (secret: string) => redisLeaseKey("cs:", secretCacheKey(secret));
  assertNotEquals(key("{7}a"), key("{7}b"));
  assertNotEquals(key("a"), key("{cs:secret:a}secret:a"));
});
