import { assertEquals } from "@std/assert";
import { MAX_LINES } from "../../lint/file_length.ts";
import { findings } from "./findings.ts";

Deno.test("fileLengthRule accepts a file of MAX_LINES lines and refuses one line more", () => {
  const longest = "export {};\n".repeat(MAX_LINES);
  assertEquals(findings("src/core/key.ts", longest), []);
  assertEquals(findings("tests/unit/core/key_test.ts", longest + "export {};\n"), [
    "cacheserver/file-length: The file has 501 lines, expected at most 500",
  ]);
});
