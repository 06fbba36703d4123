import { assert, assertEquals, assertThrows } from "@std/assert";
import { cacheKey, secretCacheKey, secretIdOf } from "../../../src/core/key.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";

/** Made of what a separator, its escape and the prefixes are made of, so that near misses are common. */
const PARTS = [
  ":",
  "%",
  "3",
  "A",
  "a",
  "25",
  "%3A",
  "%25",
  "::",
  "namespace:",
  "secret:",
  "ß",
  "\u{1f511}",
  " ",
];

Deno.test("cacheKey() gives different pairs of texts different keys", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    const text = () => {
      return Array.from(
        { length: Math.floor(random() * 4) },
        () => PARTS[Math.floor(random() * PARTS.length)],
      )
        .join("");
    };
    const pairs = new Map<string, string>();
    for (let round = 0; round < 20_000; round++) {
      const [namespace, key] = [text(), text()];
      const pair = JSON.stringify([namespace, key]);
      const made = cacheKey(namespace, key);
      const earlier = pairs.get(made) ?? pair;
      assert(earlier === pair, `${earlier} and ${pair} are both ${made}`);
      pairs.set(made, pair);
    }
    return Promise.resolve();
  }));

Deno.test("cacheKey() escapes what would end the namespace, and the escape itself", () => {
  const cases = [
    [cacheKey("shop", "a:b"), "namespace:shop:a:b"],
    [cacheKey("a:b", "c"), "namespace:a%3Ab:c"],
    [cacheKey("a%3Ab", "c"), "namespace:a%253Ab:c"],
    [cacheKey("", ""), "namespace::"],
  ] as const;
  for (const [key, expected] of cases) assertEquals<string>(key, expected);
});

Deno.test("secretIdOf() gives back what secretCacheKey() was made from, and refuses other keys", () => {
  for (const id of ["alice", "", "secret:", "a:%b"]) assertEquals(secretIdOf(secretCacheKey(id)), id);
  for (const key of [cacheKey("a", "b"), cacheKey("secret", "b")]) {
    assertThrows(() => secretIdOf(key), TypeError, "the entry is not a secret");
  }
});
