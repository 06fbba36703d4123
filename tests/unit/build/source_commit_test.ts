import { assertEquals, assertMatch } from "@std/assert";
import { sourceCommit } from "../../../src/build/source_commit.ts";
import { executableVersion } from "../../bench/revision.ts";

Deno.test("sourceCommit() resolves to a commit, and to unknown without git", async () => {
  assertMatch(await sourceCommit(), /^[0-9a-f]{12}(-dirty)?$|^unknown$/);
  assertEquals(await sourceCommit("no-such-git"), "unknown");
});

Deno.test("executableVersion() resolves to undefined without an executable, or for one of another machine", async () => {
  assertEquals(await executableVersion("/nowhere/cacheserver"), undefined);
  const path = await Deno.makeTempFile({ prefix: "cacheserver-" });
  try {
    await Deno.writeTextFile(path, "\x7fELF of another machine");
    await Deno.chmod(path, 0o755);
    assertEquals(await executableVersion(path), undefined);
  } finally {
    await Deno.remove(path);
  }
});
