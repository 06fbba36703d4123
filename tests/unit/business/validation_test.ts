import { assertEquals, assertThrows } from "@std/assert";
import { checkField, quoted, rejectIfInvalid } from "../../../src/business/validation.ts";
import { ServiceError, type Violation } from "../../../src/core/errors.ts";

Deno.test("rejectIfInvalid() throws all violations in one line, and nothing if there is none", () => {
  rejectIfInvalid(() => "set it", []);
  const violations = [
    { field: "key", description: "is empty" },
    { field: "", description: "it is wrong as a whole" },
  ];
  const error = assertThrows(() => rejectIfInvalid(() => "set it", violations), ServiceError);
  assertEquals(error.message, "Cannot set it: key is empty; it is wrong as a whole");
  assertEquals([error.code, error.violations], ["invalid_argument", violations]);
});

Deno.test("checkField() adds nothing for a field that was already found unreadable", () => {
  const limit = { min: 1, max: 8, unit: "bytes" } as const;
  const violations: Violation[] = [{ field: "key", description: "is not valid UTF-8" }];
  checkField(violations, "key", "", limit);
  checkField(violations, "name", "", limit);
  assertEquals(violations.map(({ field }) => field), ["key", "name"]);
});

Deno.test("quoted() keeps a text on one line, and short", () => {
  assertEquals(quoted('a"\n\0'), '"a\\"\\n\\u0000"');
  assertEquals(quoted("x".repeat(64)), `"${"x".repeat(64)}"`);
  assertEquals(quoted("x".repeat(65)), `"${"x".repeat(64)}…"`);
});
