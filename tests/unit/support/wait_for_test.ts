import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { waitFor } from "../../support/wait_for.ts";

Deno.test("waitFor() resolves to the first value that is there, also when it is falsy in other ways", async () => {
  const answers = [undefined, null, false, 0, 1];
  assertEquals(await waitFor(() => answers.shift(), { what: "an answer", intervalMs: 0 }), 0);
});

Deno.test("waitFor() names what it awaited, and why its condition threw", async () => {
  const refuse = () => Promise.reject(new Error("connection refused"));
  const error = await assertRejects(
    () => waitFor(refuse, { what: "Redis to answer", timeoutMs: 1, intervalMs: 0 }),
    Error,
    "in vain for Redis to answer",
  );
  assertStringIncludes(String(error.cause), "connection refused");
});
