import { assertEquals } from "@std/assert";
import { readVersion, whyNotOf } from "../../bench/revision.ts";

Deno.test("readVersion() finds the commit and the runtime in an executable's output", () => {
  assertEquals(
    readVersion("cacheserver 0.1.0 (commit 8ebb0a5422ae-dirty, deno 2.6.10, x86_64-unknown-linux-gnu)\n"),
    { revision: "8ebb0a5422ae-dirty", deno: "2.6.10" },
  );
  assertEquals(readVersion("cacheserver 0.1.0 (deno 2.9.3, x86_64-unknown-linux-gnu)\n"), undefined);
  assertEquals(readVersion(""), undefined);
});

Deno.test("whyNotOf() accepts an executable only if it is made from the same unchanged commit", () => {
  const built = (revision: string) => ({ revision, deno: "2.9.3" });
  assertEquals(whyNotOf("abc", built("abc")), undefined);
  assertEquals(whyNotOf("abd", built("abc")), "it was made of abc, and this is abd");
  assertEquals(whyNotOf("abc-dirty", built("abc")), "it was made of abc, and this is abc-dirty");
  const changed = "it was made of files that differ from a commit (abc-dirty)";
  assertEquals(whyNotOf("abc-dirty", built("abc-dirty")), changed);
  assertEquals(whyNotOf("unknown", built("unknown")), "its revision is unknown");
});
