import { assertEquals } from "@std/assert";
import { covers, type SecretChange } from "../../../src/core/secret.ts";

Deno.test("covers() lets a write of all fields cover any other", () => {
  const change = (name: string): SecretChange => {
    return { name, description: "", expires: 0, newSecretKey: crypto.randomUUID(), atMs: 0 };
  };
  assertEquals(covers(change("later"), change("earlier")), true);
});

Deno.test("covers() lets no write cover one with a field that it lacks itself", () => {
  interface Partly {
    readonly name: string;
    readonly status?: number;
  }
  const cases: readonly [later: Partly, earlier: Partly, expected: boolean][] = [
    [{ name: "b" }, { name: "a" }, true],
    [{ name: "b" }, { name: "a", status: 0 }, false],
    [{ name: "b", status: 1 }, { name: "a", status: 0 }, true],
    [{ name: "b", status: 0 }, { name: "a" }, true],
  ];
  for (const [later, earlier, expected] of cases) assertEquals(covers(later, earlier), expected);
});
