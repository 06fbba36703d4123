import { assertEquals } from "@std/assert";
import { findings } from "./findings.ts";

Deno.test("embeddedFilesRule accepts a file named from the project's root, and any in tests", () => {
  assertEquals(findings("src/api/contract.ts", `new URL("../../proto/a.binpb", import.meta.url);`), []);
  assertEquals(findings("tests/unit/x_test.ts", `new URL("../../../proto", import.meta.url);`), []);
  assertEquals(findings("src/api/x.ts", `new URL(text, "http://localhost");`), []);
});

Deno.test("embeddedFilesRule refuses any other depth, from which a compiled program finds nothing", () => {
  const refused = (path: string) => [
    `cacheserver/embedded-files: ${path} must name files from the project's root as "../../…"`,
  ];
  const path = "src/api/reflection/contract.ts";
  assertEquals(findings(path, `new URL("../../../proto/a.binpb", import.meta.url);`), refused(path));
  assertEquals(findings("src/api/x.ts", `new URL("./x.txt", import.meta.url);`), refused("src/api/x.ts"));
  assertEquals(findings("src/api/x.ts", `new URL(name, import.meta.url);`), refused("src/api/x.ts"));
});
