import { assert, assertEquals } from "@std/assert";
import { readValueFile } from "../../../../src/config/sources/value_file.ts";
import { withValueFile } from "./value_files.ts";

const ACCEPTED = "the path of a text file of at most 64 KiB";

Deno.test("readValueFile() drops one line break at the end, and no other character", async () => {
  const cases = [
    ["hunter2", "hunter2"],
    ["hunter2\n", "hunter2"],
    ["hunter2\r\n", "hunter2"],
    ["hunter2\n\n", "hunter2\n"],
    ["\n hunter 2 \t", "\n hunter 2 \t"],
    ["", ""],
    ["\n", ""],
    ["pässwörd \u{1f511}\n", "pässwörd \u{1f511}"],
  ] as const;
  for (const [content, value] of cases) {
    await withValueFile(content, (path) => assertEquals(readValueFile(path), { value }));
  }
});

Deno.test("readValueFile() accepts 64 KiB and refuses a byte more", async () => {
  await withValueFile("x".repeat(65_536), (path) => assertEquals("value" in readValueFile(path), true));
  await withValueFile("x".repeat(65_537), (path) => {
    assertEquals(readValueFile(path), { wrong: "names a file that is too large", accepted: ACCEPTED });
  });
});

Deno.test("readValueFile() refuses a path that is missing, not a file or not text, and quotes neither path nor content", async () => {
  const missing = { wrong: "names a file that does not exist", accepted: ACCEPTED };
  assertEquals(readValueFile("/nowhere/hunter2"), missing);
  assertEquals(readValueFile(""), { wrong: "names no file", accepted: ACCEPTED });
  const folder = { wrong: "names a folder or a device", accepted: ACCEPTED };
  for (const path of [".", "/dev/null"]) assertEquals(readValueFile(path), folder);
  await withValueFile("hunter2", (path) => {
    assertEquals(readValueFile(`${path}/x`), { wrong: "names no file", accepted: ACCEPTED });
  });
  await withValueFile(new Uint8Array([0x68, 0xff]), (path) => {
    assertEquals(readValueFile(path), { wrong: "names a file that is not UTF-8 text", accepted: ACCEPTED });
  });
});

Deno.test("readValueFile() does not wait for a pipe without a writer", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-value-" });
  try {
    const { success } = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    assert(success);
    assertEquals("wrong" in readValueFile(`${folder}/pipe`), true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "readValueFile() reports that this process may not read files",
  permissions: { read: false },
  fn: () => {
    assertEquals(readValueFile("/etc/hostname"), {
      wrong: "names a file that this process may not read",
      accepted: "--allow-read for it",
    });
  },
});
