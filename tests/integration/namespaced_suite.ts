import { assert, assertEquals, assertMatch } from "@std/assert";
import { refusal } from "../support/client/client.ts";
import type { CallError } from "../support/client/errors.ts";
import type { AnyMessage, EntryName, GetResponse } from "../support/client/messages.ts";
import type { ServedTest } from "../support/service/shared.ts";
import { waitFor } from "../support/wait_for.ts";

/** A name that no other test uses. */
function freshName(): Required<EntryName> {
  return { namespace: "suite", key: crypto.randomUUID() };
}

function anyOf(text: string): Required<AnyMessage> {
  return { "type_url": "type.example/Text", value: new TextEncoder().encode(text) };
}

function textOf({ value }: GetResponse): string {
  return new TextDecoder().decode(value.value);
}

function timeLeftMs({ expire }: GetResponse): number {
  return expire === null ? Infinity : expire.seconds * 1000 + expire.nanos / 1e6;
}

/** The rules of Set, Get and Del, which hold for any tiers. */
export function namespacedSuite(test: ServedTest): void {
  test("Get returns the value byte for byte, and no expire when it never expires", async ({ client }) => {
    const name = freshName();
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await client.set({ ...name, value: { "type_url": "type.example/π", value: bytes } });
    const found = await client.get(name);
    assertEquals(found.value.type_url, "type.example/π");
    assertEquals(new Uint8Array(found.value.value), bytes);
    assertEquals(found.expire, null);
  });

  test("Get returns an empty value that was stored as one", async ({ client }) => {
    const name = freshName();
    await client.set({ ...name, value: anyOf("") });
    assertEquals(textOf(await client.get(name)), "");
  });

  test("Set replaces the value and its time to live", async ({ client }) => {
    const name = freshName();
    await client.set({ ...name, value: anyOf("first"), expire: { seconds: 60 } });
    await client.set({ ...name, value: anyOf("second") });
    const found = await client.get(name);
    assertEquals([textOf(found), found.expire], ["second", null]);
  });

  test("Get returns the time left in whole milliseconds, never more than was set", async ({ client }) => {
    const name = freshName();
    const startMs = performance.now();
    await client.set({ ...name, value: anyOf("v"), expire: { seconds: 60, nanos: 500_000_000 } });
    const found = await client.get(name);
    const tookMs = performance.now() - startMs;
    const leftMs = timeLeftMs(found);
    assert(leftMs <= 60_500 && leftMs >= 60_500 - tookMs - 2, `${leftMs} ms left after ${tookMs} ms`);
    assertEquals(found.expire!.nanos % 1_000_000, 0);
  });

  test("Get finds an entry until its expiry, and not from then on", async ({ client }) => {
    const name = freshName();
    const setAtMs = performance.now();
    await client.set({ ...name, value: anyOf("v"), expire: { nanos: 80_000_000 } });
    const doneAtMs = performance.now();
    let lastAskedMs = 0;
    const { error, goneAtMs } = await waitFor(async () => {
      const askedAtMs = performance.now();
      try {
        await client.get(name);
      } catch (error) {
        return { error: error as CallError, goneAtMs: performance.now() };
      }
      lastAskedMs = askedAtMs;
      return undefined;
    }, { what: "the entry to expire", intervalMs: 1 });
    assertEquals([error.code, error.reason], ["NOT_FOUND", "KEY_NOT_FOUND"]);
    // The server counts in whole milliseconds, hence the 2 ms.
    assert(
      lastAskedMs < doneAtMs + 82,
      `found ${lastAskedMs - doneAtMs} ms after Set, expected less than 80`,
    );
    assert(goneAtMs >= setAtMs + 78, `gone after ${goneAtMs - setAtMs} ms, expected 80`);
  });

  test("Set rounds a time to live up to a millisecond and accepts the longest Duration", async ({ client }) => {
    const brief = freshName();
    await client.set({ ...brief, value: anyOf("v"), expire: { nanos: 1 } });
    const gone = await waitFor(() => client.get(brief).then(() => undefined, (error) => error), {
      what: "the entry to expire",
    });
    assertEquals(gone.reason, "KEY_NOT_FOUND");

    const long = freshName();
    await client.set({ ...long, value: anyOf("v"), expire: { seconds: 315_576_000_000 } });
    const leftMs = timeLeftMs(await client.get(long));
    assert(leftMs <= 315_576_000_000_000 && leftMs > 315_575_999_990_000, `${leftMs} ms left`);
  });

  test("Get of a key that was never set is NOT_FOUND with the key's name", async ({ client }) => {
    const name = freshName();
    const error = await refusal(client.get(name));
    assertEquals(error.code, "NOT_FOUND");
    assertEquals(error.info, { reason: "KEY_NOT_FOUND", domain: "cacheserver.v1", metadata: {} });
    assertEquals([error.violations, error.retryAfterMs], [undefined, undefined]);
    assertMatch(error.message, new RegExp(`${name.key}.*"suite"`));
  });

  test("Del deletes, and deleting what is not there is OK", async ({ client }) => {
    const name = freshName();
    await client.delete(name);
    await client.set({ ...name, value: anyOf("v") });
    await client.delete(name);
    assertEquals((await refusal(client.get(name))).reason, "KEY_NOT_FOUND");
    await client.delete(name);
  });

  test("each pair of namespace and key is a separate entry", async ({ client, profile }) => {
    const unique = crypto.randomUUID();
    const pairs = [
      ["a:b", "c"],
      ["a", "b:c"],
      ["a%3Ab", "c"],
      ["a%3ab", "c"],
      ["a%253Ab", "c"],
      ["a", "c"],
      ["A", "c"],
      ["a ", "c"],
      [" a", "c"],
      ["a", "c "],
      ["a", ":c"],
      ["a:", "c"],
      ["\u00e9", "c"],
      ["e\u0301", "c"],
      ["a", "namespace:a:c"],
      ["\ufeffa", "c"],
    ].map(([namespace, key]) => ({ namespace: `${unique}${namespace}`, key: key! }));
    const before = (await profile.stored()).length;
    await Promise.all(pairs.map((name, index) => client.set({ ...name, value: anyOf(String(index)) })));
    const found = await Promise.all(pairs.map((name) => client.get(name).then(textOf)));
    assertEquals(found, pairs.map((_, index) => String(index)));
    assertEquals((await profile.stored()).length, before + pairs.length);

    await client.delete(pairs[0]!);
    assertEquals((await refusal(client.get(pairs[0]!))).reason, "KEY_NOT_FOUND");
    assertEquals(textOf(await client.get(pairs[1]!)), "1");
  });

  test("concurrent writers of one key leave one of their values, the same for every reader", async ({ client }) => {
    const name = freshName();
    const values = Array.from({ length: 32 }, (_, index) => String(index));
    await Promise.all(values.map((text) => client.set({ ...name, value: anyOf(text) })));
    const found = await Promise.all(values.map(() => client.get(name).then(textOf)));
    assert(values.includes(found[0]!));
    assertEquals(new Set(found).size, 1);
  });

  test("a cancelled call is CANCELLED, and an overdue one DEADLINE_EXCEEDED", async ({ client }) => {
    const controller = new AbortController();
    const call = client.call("Get", freshName(), { signal: controller.signal });
    controller.abort();
    assertEquals((await refusal(call)).code, "CANCELLED");
    const overdue = client.call("Get", freshName(), { deadline: 0 });
    assertEquals((await refusal(overdue)).code, "DEADLINE_EXCEEDED");
  });
}
