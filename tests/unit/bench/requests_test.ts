import { assert, assertEquals } from "@std/assert";
import { encodeRequests } from "../../bench/load/requests.ts";

const SETS = { method: "Set", group: "group", first: 7, count: 3 } as const;

Deno.test("encodeRequests() makes a message for each key", () => {
  const texts = encodeRequests(SETS).map((message) => new TextDecoder().decode(message));
  assertEquals(texts.map((text) => /user:\d+/.exec(text)?.[0]), [
    "user:000000007",
    "user:000000008",
    "user:000000009",
  ]);
  assertEquals(new Set(encodeRequests({ ...SETS, payloadBytes: 10 }).map(({ length }) => length)).size, 1);
});

Deno.test("encodeRequests() goes round the keys with one value after the other", () => {
  const messages = encodeRequests({ ...SETS, values: 2 }).map((message) => new TextDecoder().decode(message));
  assertEquals(
    messages.slice(0, 3),
    encodeRequests(SETS).map((message) => new TextDecoder().decode(message)),
  );
  assertEquals(
    messages.slice(3),
    messages.slice(0, 3).map((text) => text.replace(/a{100}/, "b".repeat(100))),
  );
  assert(messages[3] !== messages[0]);
});
