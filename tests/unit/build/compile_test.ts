import { assert, assertEquals } from "@std/assert";
import { EMBEDDED_FILES } from "../../../src/build/compile.ts";

Deno.test("EMBEDDED_FILES are single files and no documents, since a folder would bring its README along", () => {
  const [commit, ...present] = EMBEDDED_FILES.toReversed();
  assertEquals(commit, "dist/build/commit");
  for (const path of present) {
    assert(Deno.statSync(new URL(`../../../${path}`, import.meta.url)).isFile, path);
    assert(!path.endsWith(".md"), path);
  }
});
