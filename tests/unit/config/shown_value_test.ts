import { assertEquals } from "@std/assert";
import { shownValue } from "../../../src/config/shown_value.ts";

Deno.test("shownValue() shows a value of YAML, text in quotes", () => {
  assertEquals([5, true, null, "5", "", [1], { a: 1 }].map(shownValue), [
    "5",
    "true",
    "null",
    '"5"',
    '""',
    "a list",
    "a mapping",
  ]);
});

Deno.test("shownValue() shows at most the first word, cut short", () => {
  assertEquals(shownValue("127.0.0.1:6379 hunter2"), '"127.0.0.1:6379 ..."');
  assertEquals(shownValue("a\nhunter2"), '"a ..."');
  assertEquals(shownValue("é".repeat(61)), `"${"é".repeat(60)} ..."`);
  assertEquals(shownValue("a\u0007"), '"a\\u0007"');
});

Deno.test("shownValue() masks text that may hold credentials", () => {
  for (const text of ["redis://:hunter2@redis:6379", "hunter@2", " hunter2"]) {
    assertEquals(shownValue(text), "***");
  }
});
