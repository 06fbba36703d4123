import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { entryTtlMs, NamespacePolicies } from "../../../src/business/namespace_policies.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";
import { Embedded, UNLIMITED } from "./embedded.ts";
import { PATIENT } from "../../support/cache/caller.ts";
import { asFound } from "../../support/cache/as_found.ts";

const NEVER = () => 0;
const VALUE = { typeUrl: "t", payloadBytes: 1, encoded: new Uint8Array(8) };

Deno.test("NamespacePolicies.of() gives a namespace its own policy, and all others theirs", () => {
  const own = { ...UNLIMITED, maxTtlMs: 1 };
  const policies = new NamespacePolicies(UNLIMITED, new Map([["sessions", own]]));
  assertStrictEquals(policies.of("sessions"), own);
  for (const name of ["session", "", "toString"]) assertStrictEquals(policies.of(name), UNLIMITED);
  assertStrictEquals(new NamespacePolicies(own).of("sessions"), own);
});

Deno.test("entryTtlMs() takes the default for an absent expire, and cuts longer times to the limit", () => {
  const policy = { ...UNLIMITED, defaultTtlMs: 500, maxTtlMs: 1000 };
  const cases = [[Infinity, 500], [1, 1], [999, 999], [1000, 1000], [1001, 1000]] as const;
  for (const [askedMs, ttlMs] of cases) assertEquals(entryTtlMs(policy, askedMs, NEVER), ttlMs, `${askedMs}`);
  assertEquals(entryTtlMs({ ...UNLIMITED, maxTtlMs: 1000 }, Infinity, NEVER), 1000);
  assertEquals(entryTtlMs({ ...UNLIMITED, jitter: 0.5 }, Infinity, NEVER), Infinity);
});

Deno.test("entryTtlMs() takes up to the jitter's share off at random, and adds nothing", async () => {
  await withSeed((seed) => {
    const random = seededRandom(seed);
    const policy = { ...UNLIMITED, jitter: 0.1, maxTtlMs: 10_000 };
    for (const askedMs of [10_000, Infinity]) {
      const ttls = Array.from({ length: 1000 }, () => entryTtlMs(policy, askedMs, random));
      assert(Math.min(...ttls) > 9000 && Math.max(...ttls) <= 10_000, "within a tenth of what was asked for");
      assert(Math.min(...ttls) < 9100 && Math.max(...ttls) > 9900, "all over that tenth");
      assert(ttls.every(Number.isInteger));
    }
    return Promise.resolve();
  });
  assertEquals(entryTtlMs({ ...UNLIMITED, jitter: 0.999 }, 1, () => 0.999), 1, "never nothing");
});

Deno.test("Namespaces.set() stores an entry for the time of its namespace's policy", async () => {
  const own = { ...UNLIMITED, defaultTtlMs: 60_000, maxTtlMs: 100_000, jitter: 0.5 };
  const policies = new NamespacePolicies(UNLIMITED, new Map([["sessions", own]]));
  using embedded = new Embedded({ policies, random: () => 0.5 });
  const { namespaces, clock } = embedded;
  const ttlOf = async (namespace: string, seconds: number | undefined) => {
    const expire = seconds === undefined ? undefined : { seconds, nanos: 0 };
    const name = { namespace, key: "k", violations: [] };
    await namespaces.set({ ...name, value: VALUE, expire }, PATIENT);
    const found = await namespaces.get(name, PATIENT, asFound);
    return found!.expiresAtMs - clock.now();
  };
  assertEquals(await ttlOf("sessions", undefined), 45_000);
  assertEquals(await ttlOf("sessions", 40), 30_000);
  assertEquals(await ttlOf("sessions", 1000), 75_000);
  assertEquals(await ttlOf("other", undefined), Infinity);
  assertEquals(await ttlOf("other", 1000), 1_000_000);
});
