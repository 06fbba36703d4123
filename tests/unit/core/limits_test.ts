import { assertEquals } from "@std/assert";
import { checkText, isAcceptable, type TextLimit } from "../../../src/core/limits.ts";
import type { Violation } from "../../../src/core/errors.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";

const BYTES: TextLimit = { min: 1, max: 8, unit: "bytes" };
const CHARACTERS: TextLimit = { min: 0, max: 4, unit: "characters" };

function wrongWith(text: string, limit: TextLimit): string[] {
  const violations: Violation[] = [];
  checkText(violations, "key", text, limit);
  return violations.map(({ field, description }) => `${field} ${description}`);
}

Deno.test("checkText() counts bytes of UTF-8 or characters, and accepts exactly the limit", () => {
  const cases: readonly [string, TextLimit, readonly string[]][] = [
    ["12345678", BYTES, []],
    ["123456789", BYTES, ["key is 9 bytes, expected 1 to 8"]],
    ["ßßßß", BYTES, []],
    ["日日日", BYTES, ["key is 9 bytes, expected 1 to 8"]],
    ["\u{1f511}\u{1f511}", BYTES, []],
    ["", BYTES, ["key is empty, expected 1 to 8 bytes"]],
    ["", CHARACTERS, []],
    ["\u{1f511}".repeat(4), CHARACTERS, []],
    ["\u{1f511}".repeat(5), CHARACTERS, ["key is 5 characters, expected at most 4"]],
    [" ", BYTES, []],
  ];
  for (const [text, limit, expected] of cases) assertEquals(wrongWith(text, limit), [...expected], text);
});

Deno.test("checkText() refuses the control characters of Unicode and names which and where", () => {
  const has = (
    code: string,
    at: number,
  ) => [`key has control character U+${code} at position ${at}, expected none`];
  assertEquals(wrongWith("a\0b", BYTES), has("0000", 1));
  assertEquals(wrongWith("\n", BYTES), has("000A", 0));
  assertEquals(wrongWith("ab\x7f", BYTES), has("007F", 2));
  assertEquals(wrongWith("\x9f", BYTES), has("009F", 0));
  for (const text of ["\xa0", "\xad", "\u2028", "\ufeff", "~"]) assertEquals(wrongWith(text, BYTES), []);
});

Deno.test("checkText() reports everything that is wrong with a text", () => {
  assertEquals(wrongWith("12345678\t", BYTES), [
    "key is 9 bytes, expected 1 to 8",
    "key has control character U+0009 at position 8, expected none",
  ]);
});

Deno.test("isAcceptable() never accepts what checkText() refuses", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    const alphabet = ["a", "ß", "日", "\u{1f511}", "\0", "\x85", " "];
    let accepted = 0;
    for (let round = 0; round < 5_000; round++) {
      const length = Math.floor(random() * 6);
      const text = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
      for (const limit of [BYTES, CHARACTERS]) {
        if (!isAcceptable(text, limit)) continue;
        accepted++;
        assertEquals(wrongWith(text, limit), [], text);
      }
    }
    assertEquals(accepted > 100, true);
    return Promise.resolve();
  }));
