import { assertEquals } from "@std/assert";
import { formatSize, parseSizeBytes } from "../../../src/config/size.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";

Deno.test("parseSizeBytes() takes binary units, decimal units and plain bytes", () => {
  const cases: ReadonlyArray<readonly [string, number]> = [
    ["64MiB", 67_108_864],
    ["1KiB", 1024],
    ["2GiB", 2_147_483_648],
    ["1GB", 1_000_000_000],
    ["1MB", 1_000_000],
    ["1KB", 1000],
    ["7B", 7],
    ["0", 0],
    ["1234", 1234],
    ["1.5KiB", 1536],
  ];
  for (const [text, bytes] of cases) assertEquals(parseSizeBytes(text), bytes, text);
});

Deno.test("parseSizeBytes() refuses signs, spaces, other units, parts of bytes and more than a number can hold", () => {
  for (
    const text of [
      "",
      "MiB",
      "-1",
      "1 MiB",
      "1mib",
      "64M",
      "1TiB",
      "0.5",
      "1.1KiB",
      "1iB",
      "9007199254740992",
    ]
  ) {
    assertEquals(parseSizeBytes(text), undefined, text);
  }
});

Deno.test("formatSize() writes text that parseSizeBytes() parses back, for any number of bytes", async () => {
  await withSeed((seed) => {
    const random = seededRandom(seed);
    for (let i = 0; i < 5000; i++) {
      const bytes = Math.floor(random() * 5000) * 2 ** Math.floor(random() * 40);
      assertEquals(parseSizeBytes(formatSize(bytes)), bytes, formatSize(bytes));
    }
    return Promise.resolve();
  });
});

Deno.test("formatSize() takes the largest unit that leaves no fraction", () => {
  assertEquals([0, 1023, 1024, 1536, 2 ** 20, 256 * 2 ** 20, 2 ** 40].map(formatSize), [
    "0",
    "1023",
    "1KiB",
    "1536",
    "1MiB",
    "256MiB",
    "1024GiB",
  ]);
});
