import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { NamespacePolicies } from "../../../src/business/namespace_policies.ts";
import { type AnyValue, Namespaces, type NewEntry } from "../../../src/business/namespaces.ts";
import { Chain } from "../../../src/cache/chain.ts";
import { Tier } from "../../../src/cache/tier.ts";
import type { EntryChange } from "../../../src/core/entry.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { UNVERSIONED } from "../../../src/core/version.ts";
import { LruMemory } from "../../../src/store/memory/lru.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { RecordingObserver } from "../../support/cache/recording_observer.ts";
import { Embedded, MAX_VALUE_BYTES, refusals, UNLIMITED } from "./embedded.ts";
import { PATIENT } from "../../support/cache/caller.ts";
import { asFound } from "../../support/cache/as_found.ts";
import { localTier } from "../../support/cache/local_tier.ts";

const NAME = { namespace: "shop", key: "a", violations: [] };
const VALUE = any({ payloadBytes: 3 });

function any({ typeUrl = "t", payloadBytes = 0, otherBytes = 8 }): AnyValue {
  return { typeUrl, payloadBytes, encoded: new Uint8Array(payloadBytes + otherBytes).fill(7) };
}

function newEntry(fields: Partial<NewEntry> = {}): NewEntry {
  return { ...NAME, value: VALUE, expire: undefined, ...fields };
}

/** What Namespaces.set() refuses an entry for; empty when it takes it. */
async function refused(fields: Partial<NewEntry>): Promise<string[]> {
  using embedded = new Embedded();
  const found = await refusals(embedded.namespaces.set(newEntry(fields), PATIENT));
  const rows = embedded.file.statement("SELECT * FROM entry").rows();
  assertEquals(rows.length, found.length === 0 ? 1 : 0);
  return found;
}

Deno.test("Namespaces.get() gives a copy of what was set, until it expires or is deleted", async () => {
  using embedded = new Embedded();
  const { namespaces, clock } = embedded;
  const value = any({ payloadBytes: 3 });
  await namespaces.set(newEntry({ value, expire: { seconds: 0, nanos: 1_500_000 } }), PATIENT);
  value.encoded.fill(0);
  const entry = await namespaces.get(NAME, PATIENT, asFound);
  assertEquals(entry && new Uint8Array(entry.value), VALUE.encoded);
  assertEquals(entry?.expiresAtMs, clock.now() + 2);
  clock.advance(2);
  assertEquals(await namespaces.get(NAME, PATIENT, asFound), undefined);

  await namespaces.set(newEntry(), PATIENT);
  assertEquals((await namespaces.get(NAME, PATIENT, asFound))?.expiresAtMs, Infinity);
  await namespaces.delete(NAME, PATIENT);
  await namespaces.delete(NAME, PATIENT);
  assertEquals(await namespaces.get(NAME, PATIENT, asFound), undefined);
});

Deno.test("Namespaces.set() accepts everything up to its limit, and stores nothing beyond it", async () => {
  const cases: readonly [Partial<NewEntry>, readonly string[]][] = [
    [{ namespace: "n".repeat(253) }, []],
    [{ namespace: "n".repeat(254) }, ["namespace is 254 bytes, expected 1 to 253"]],
    [{ namespace: "" }, ["namespace is empty, expected 1 to 253 bytes"]],
    [{ key: "ß".repeat(512) }, []],
    [{ key: "ß".repeat(512) + "k" }, ["key is 1025 bytes, expected 1 to 1024"]],
    [{ key: "a\0" }, ["key has control character U+0000 at position 1, expected none"]],
    [{ value: undefined }, ["value is absent, expected a google.protobuf.Any"]],
    [{ value: any({ typeUrl: "" }) }, ["value.type_url is empty, expected 1 to 1024 bytes"]],
    [{ value: any({ typeUrl: "t".repeat(1024) }) }, []],
    [{ value: any({ typeUrl: "t".repeat(1025) }) }, ["value.type_url is 1025 bytes, expected 1 to 1024"]],
    [{ value: any({ payloadBytes: MAX_VALUE_BYTES }) }, []],
    [{ value: any({ payloadBytes: MAX_VALUE_BYTES + 1 }) }, [
      "value.value is 101 bytes, expected at most 100",
    ]],
    [{ expire: { seconds: 1e12, nanos: 0 } }, [
      "expire is 1000000000000 seconds, expected more than 0 and at most 315576000000 seconds",
    ]],
  ];
  for (const [fields, expected] of cases) assertEquals(await refused(fields), [...expected]);
});

Deno.test("Namespaces.set() refuses an Any that hides bytes besides its payload", async () => {
  const limit = MAX_VALUE_BYTES + 1_024 + 32;
  assertEquals(await refused({ value: any({ otherBytes: limit }) }), []);
  assertEquals(await refused({ value: any({ otherBytes: limit + 1 }) }), [
    "value is 1157 bytes when encoded, expected at most 1156",
  ]);
});

Deno.test("Namespaces.set() reports all violations at once, after those found before", async () => {
  const found = await refused({
    namespace: "",
    key: "",
    violations: [{ field: "namespace", description: "is not valid UTF-8" }],
    value: undefined,
    expire: { seconds: 0, nanos: 0 },
  });
  assertEquals(found, [
    "namespace is not valid UTF-8",
    "key is empty, expected 1 to 1024 bytes",
    "value is absent, expected a google.protobuf.Any",
    "expire is 0 seconds, expected more than 0 and at most 315576000000 seconds",
  ]);
});

Deno.test("Namespaces.get() and delete() refuse what set() would, by name", async () => {
  using embedded = new Embedded();
  const wrong = { namespace: "", key: "k\n", violations: [] };
  const expected = `key "k\\n" of namespace "": namespace is empty, expected 1 to 253 bytes; ` +
    "key has control character U+000A at position 1, expected none";
  const fromGet = assertThrows(() => embedded.namespaces.get(wrong, PATIENT, asFound), ServiceError);
  assertEquals(fromGet.message, `Cannot get ${expected}`);
  const fromDelete = await assertRejects(() => embedded.namespaces.delete(wrong, PATIENT), ServiceError);
  assertEquals(fromDelete.message, `Cannot delete ${expected}`);
  const longest = { namespace: "ß".repeat(126), key: "日".repeat(341), violations: [] };
  assertEquals(await embedded.namespaces.get(longest, PATIENT, asFound), undefined);
});

Deno.test("Namespaces.get() gives no value for an entry that memory remembers as expired", async () => {
  const clock = new FakeClock();
  const observer = new RecordingObserver();
  const memory = new LruMemory({ maxBytes: 10_000, maxEntryBytes: 10_000 }, clock);
  const expired = { value: VALUE.encoded, expiresAtMs: clock.now(), version: UNVERSIONED };
  const unused = () => Promise.reject(new Error("not asked for"));
  const chain = new Chain<Uint8Array, EntryChange>({
    local: localTier(memory, clock),
    shared: undefined,
    authority: {
      store: { read: () => Promise.resolve(expired), write: unused, remove: unused, ping: unused },
      tier: new Tier({ name: "redis", readTimeoutMs: 100, writeTimeoutMs: 100 }, clock, observer),
    },
    clock,
    observer,
    newIntent: () => "intent",
    backfillQueueSize: 1,
  });
  const copies = { localTtlMs: 1000, negativeTtlMs: 1000, refreshAhead: 0, jitter: 0 };
  const policies = new NamespacePolicies({ ...UNLIMITED, copies });
  const namespaces = new Namespaces(chain, { clock, random: () => 0, maxValueBytes: 100, policies });
  assertEquals(await namespaces.get(NAME, PATIENT, asFound), undefined);
  const remembered = namespaces.get(NAME, PATIENT, asFound);
  assertEquals([remembered instanceof Promise, remembered], [false, undefined]);
});
