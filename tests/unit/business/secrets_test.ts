import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { NewSecret } from "../../../src/business/secrets.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { Embedded, refusals, SECRET_KEY } from "./embedded.ts";
import { PATIENT } from "../../support/cache/caller.ts";
import { asFound } from "../../support/cache/as_found.ts";

const NAME = { key: "alice", violations: [] };

function newSecret(fields: Partial<NewSecret> = {}): NewSecret {
  return { ...NAME, name: "Alice", description: "", expire: undefined, ...fields };
}

/** What Secrets.set() refuses a secret for; empty when it takes it. */
async function refused(fields: Partial<NewSecret>): Promise<string[]> {
  using embedded = new Embedded();
  return await refusals(embedded.secrets.set(newSecret(fields), PATIENT));
}

Deno.test("Secrets.set() creates a secret, and changes only some fields of an existing one", async () => {
  using embedded = new Embedded();
  const { secrets, clock } = embedded;
  const createdAtMs = clock.now();
  await secrets.set(newSecret({ description: "first" }), PATIENT);
  const created = {
    userId: "",
    name: "Alice",
    secretId: "alice",
    secretKey: SECRET_KEY,
    expires: 0,
    status: 1,
    description: "first",
    createdAtMs,
    updatedAtMs: createdAtMs,
  };
  assertEquals(await secrets.get(NAME, PATIENT, asFound), created);
  clock.advance(5_000);
  await secrets.set(newSecret({ name: "Bob", expire: { seconds: 60, nanos: 0 } }), PATIENT);
  assertEquals(await secrets.get(NAME, PATIENT, asFound), {
    ...created,
    name: "Bob",
    description: "",
    expires: (createdAtMs + 65_000) / 1_000,
    updatedAtMs: createdAtMs + 5_000,
  });
});

Deno.test("Secrets.get() distinguishes expired from absent, from the instant of expiry on", async () => {
  using embedded = new Embedded();
  const { secrets, clock } = embedded;
  assertEquals(await secrets.get(NAME, PATIENT, asFound), "secret_not_found");
  // Kept in whole seconds, rounded up: 1.001 s from a whole second are 2.
  await secrets.set(newSecret({ expire: { seconds: 1, nanos: 1_000_000 } }), PATIENT);
  clock.advance(1_999);
  assertEquals(typeof await secrets.get(NAME, PATIENT, asFound), "object");
  clock.advance(1);
  assertEquals(await secrets.get(NAME, PATIENT, asFound), "secret_expired");
  await secrets.set(newSecret(), PATIENT);
  assertEquals(typeof await secrets.get(NAME, PATIENT, asFound), "object");
  await secrets.delete(NAME, PATIENT);
  await secrets.delete(NAME, PATIENT);
  assertEquals(await secrets.get(NAME, PATIENT, asFound), "secret_not_found");
});

Deno.test("Secrets.get() serves no secret that an operator has disabled, and set() does not enable it", async () => {
  using embedded = new Embedded();
  await embedded.secrets.set(newSecret(), PATIENT);
  embedded.file.statement("UPDATE secret SET status = 2").run();
  assertEquals(await embedded.secrets.get(NAME, PATIENT, asFound), "secret_disabled");
  await embedded.secrets.set(newSecret(), PATIENT);
  assertEquals(await embedded.secrets.get(NAME, PATIENT, asFound), "secret_disabled");
});

Deno.test("Secrets.set() accepts everything up to its limit and nothing beyond", async () => {
  const cases: readonly [Partial<NewSecret>, readonly string[]][] = [
    [{ key: "k".repeat(253) }, []],
    [{ key: "ß".repeat(127) }, ["key is 254 bytes, expected 1 to 253"]],
    [{ key: "" }, ["key is empty, expected 1 to 253 bytes"]],
    [{ name: "\u{1f511}".repeat(253) }, []],
    [{ name: "n".repeat(254) }, ["name is 254 characters, expected 1 to 253"]],
    [{ name: "" }, ["name is empty, expected 1 to 253 characters"]],
    [{ description: "日".repeat(256) }, []],
    [{ description: "d".repeat(257) }, ["description is 257 characters, expected at most 256"]],
    [{ description: "\r" }, ["description has control character U+000D at position 0, expected none"]],
    [{ key: "", name: "", expire: { seconds: 0, nanos: 0 } }, [
      "key is empty, expected 1 to 253 bytes",
      "name is empty, expected 1 to 253 characters",
      "expire is 0 seconds, expected more than 0 and at most 315576000000 seconds",
    ]],
  ];
  for (const [fields, expected] of cases) assertEquals(await refused(fields), [...expected]);
});

Deno.test("Secrets.get() and delete() refuse what set() would, by name", async () => {
  using embedded = new Embedded();
  const wrong = { key: "", violations: [] };
  const expected = 'secret "": key is empty, expected 1 to 253 bytes';
  const fromGet = assertThrows(() => embedded.secrets.get(wrong, PATIENT, asFound), ServiceError);
  assertEquals(fromGet.message, `Cannot get ${expected}`);
  const fromDelete = await assertRejects(() => embedded.secrets.delete(wrong, PATIENT), ServiceError);
  assertEquals(fromDelete.message, `Cannot delete ${expected}`);
});
