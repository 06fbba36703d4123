import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { refusal } from "../support/client/client.ts";
import type { Timestamp } from "../support/client/messages.ts";
import type { ServedTest } from "../support/service/shared.ts";
import { waitFor } from "../support/wait_for.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function msOf({ seconds, nanos }: Timestamp): number {
  return seconds * 1000 + nanos / 1e6;
}

/** The rules of SetSecret, GetSecret and DelSecret that hold whatever the tiers are. */
export function secretSuite(test: ServedTest): void {
  test("SetSecret creates a secret with a random key, enabled from now on", async ({ client }) => {
    const key = crypto.randomUUID();
    const beforeMs = Date.now();
    await client.setSecret({ key, name: "naïve 😀", description: "for π" });
    const afterMs = Date.now();
    const { secretKey, createdAt, updatedAt, ...rest } = await client.getSecret({ key });
    assertEquals(rest, {
      userID: "",
      name: "naïve 😀",
      secretID: key,
      expires: 0,
      status: 1,
      description: "for π",
    });
    assertMatch(secretKey, UUID_V4);
    assertEquals(createdAt, updatedAt);
    // MySQL keeps whole seconds.
    assert(msOf(createdAt) >= beforeMs - 1_000 && msOf(createdAt) <= afterMs);
  });

  test("SetSecret changes name, description and expiry of an existing secret, and nothing else", async ({ client }) => {
    const key = crypto.randomUUID();
    await client.setSecret({ key, name: "old", description: "old", expire: { seconds: 60 } });
    const old = await client.getSecret({ key });
    await client.setSecret({ key, name: "new" });
    const { updatedAt, ...rest } = await client.getSecret({ key });
    const { updatedAt: oldUpdatedAt, ...oldRest } = old;
    assertEquals(rest, { ...oldRest, name: "new", description: "", expires: 0 });
    assert(msOf(updatedAt) >= msOf(oldUpdatedAt));
  });

  test("GetSecret says the expiry in seconds, rounded up", async ({ client }) => {
    const key = crypto.randomUUID();
    const beforeMs = Date.now();
    await client.setSecret({ key, name: "n", expire: { seconds: 60, nanos: 500_000_000 } });
    const afterMs = Date.now();
    const { expires } = await client.getSecret({ key });
    const earliest = Math.ceil((beforeMs + 60_500) / 1000);
    const latest = Math.ceil((afterMs + 60_500) / 1000);
    assert(expires >= earliest && expires <= latest, `${expires}, expected ${earliest} to ${latest}`);
  });

  test("GetSecret takes the longest expiry that a Duration says", async ({ client }) => {
    const key = crypto.randomUUID();
    await client.setSecret({ key, name: "n", expire: { seconds: 315_576_000_000 } });
    const { expires } = await client.getSecret({ key });
    assert(Math.abs(expires - 315_576_000_000 - Date.now() / 1000) < 10);
  });

  test("GetSecret of an expired secret is NOT_FOUND until SetSecret makes it valid again", async ({ client }) => {
    const key = crypto.randomUUID();
    await client.setSecret({ key, name: "n" });
    const { secretKey } = await client.getSecret({ key });
    await client.setSecret({ key, name: "n", expire: { nanos: 1 } });
    const expired = await waitFor(() => client.getSecret({ key }).then(() => undefined, (error) => error), {
      what: "the secret to expire",
    });
    assertEquals(expired.code, "NOT_FOUND");
    assertEquals(expired.info, { reason: "SECRET_EXPIRED", domain: "cacheserver.v1", metadata: {} });
    await client.setSecret({ key, name: "again", expire: { seconds: 60 } });
    const again = await client.getSecret({ key });
    assertEquals([again.name, again.secretKey], ["again", secretKey]);
  });

  test("GetSecret of a key that was never set is NOT_FOUND with the key's name", async ({ client }) => {
    const key = crypto.randomUUID();
    const error = await refusal(client.getSecret({ key }));
    assertEquals(error.code, "NOT_FOUND");
    assertEquals(error.info, { reason: "SECRET_NOT_FOUND", domain: "cacheserver.v1", metadata: {} });
    assertEquals([error.violations, error.retryAfterMs], [undefined, undefined]);
    assertMatch(error.message, new RegExp(key));
  });

  test("DelSecret deletes, is OK for what is not there, and a secret made later is another one", async ({ client }) => {
    const key = crypto.randomUUID();
    await client.deleteSecret({ key });
    await client.setSecret({ key, name: "n" });
    const { secretKey } = await client.getSecret({ key });
    await client.deleteSecret({ key });
    assertEquals((await refusal(client.getSecret({ key }))).reason, "SECRET_NOT_FOUND");
    await client.deleteSecret({ key });
    await client.setSecret({ key, name: "n" });
    assertNotEquals((await client.getSecret({ key })).secretKey, secretKey);
  });

  test("secrets' keys are distinct if they differ in case, accents or spaces", async ({ client }) => {
    const unique = crypto.randomUUID();
    const keys = [
      "a",
      "A",
      "a ",
      " a",
      "\u00e9",
      "e\u0301",
      "e",
      "ß",
      "ss",
      "a%",
      "a_",
      "\ufeffa",
      "ａ",
      "😀",
    ]
      .map((end) => unique + end);
    await Promise.all(keys.map((key, index) => client.setSecret({ key, name: String(index) })));
    const found = await Promise.all(keys.map((key) => client.getSecret({ key })));
    assertEquals(found.map(({ name }) => name), keys.map((_, index) => String(index)));
    assertEquals(found.map(({ secretID }) => secretID), keys);
    assertEquals(new Set(found.map(({ secretKey }) => secretKey)).size, keys.length);
  });

  test("SetSecret of one new key at once creates one secret, the same for every reader", async ({ client }) => {
    const key = crypto.randomUUID();
    const names = Array.from({ length: 16 }, (_, index) => String(index));
    await Promise.all(names.map((name) => client.setSecret({ key, name })));
    const found = await Promise.all(names.map(() => client.getSecret({ key })));
    assert(names.includes(found[0]!.name));
    assertEquals(new Set(found.map(({ name, secretKey }) => name + secretKey)).size, 1);
  });
}
