import { assertEquals } from "@std/assert";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";
import { Draw } from "./reference.ts";
import { decodeText, textLength, writeText } from "../../../../src/api/protobuf/utf8_text.ts";

Deno.test("decodeText() reads UTF-8 of any length and refuses anything else", () => {
  const encoder = new TextEncoder();
  for (const unit of ["a", "ß", "日", "\u{1f511}", "\ufeff", "\0"]) {
    for (const length of [0, 1, 63, 64, 65, 1_000]) {
      assertEquals(decodeText(encoder.encode(unit.repeat(length))), unit.repeat(length));
    }
  }
  const wrong = [[0x80], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff]];
  for (const bytes of wrong) {
    assertEquals(decodeText(Uint8Array.from(bytes)), undefined, `${bytes}`);
    assertEquals(
      decodeText(Uint8Array.from([...new Uint8Array(70).fill(0x61), ...bytes])),
      undefined,
      `${bytes}`,
    );
  }
});

Deno.test("decodeText() reads only the given part", () => {
  const bytes = new TextEncoder().encode("äbcdefghijklmö");
  for (let start = 2; start <= bytes.length - 2; start++) {
    for (let end = start; end <= bytes.length - 2; end++) {
      assertEquals(decodeText(bytes, start, end), "bcdefghijklm".slice(start - 2, end - 2));
    }
  }
});

Deno.test("decodeText() reads a character beyond ASCII at any position", () => {
  for (let length = 1; length <= 20; length++) {
    for (let at = 0; at < length; at++) {
      const text = "a".repeat(at) + "é" + "a".repeat(length - at - 1);
      assertEquals(decodeText(new TextEncoder().encode(text)), text);
      const wrong = new Uint8Array(length).fill(0x61);
      wrong[at] = 0xff;
      assertEquals(decodeText(wrong), undefined);
    }
  }
});

Deno.test("writeText() writes what TextEncoder writes, textLength() bytes of it, and none beyond", () =>
  withSeed((seed) => {
    const draw = new Draw(seededRandom(seed));
    const pieces = ["a", "é", "\u07ff", "\u0800", "日", "\u{1f511}", "\ud800", "\udbff", "\udc00", "\udfff"];
    const drawn = Array.from({ length: 500 }, () => {
      return Array.from({ length: draw.below(30) }, () => draw.of(pieces)).join("");
    });
    for (const text of ["", ...pieces, "a".repeat(1000), ...drawn]) {
      const expected = new TextEncoder().encode(text);
      const bytes = new Uint8Array(3 + expected.length + 5).fill(0xee);
      assertEquals(textLength(text), expected.length, JSON.stringify(text));
      assertEquals(writeText(text, bytes, 3), 3 + expected.length, JSON.stringify(text));
      assertEquals([...bytes], [0xee, 0xee, 0xee, ...expected, 0xee, 0xee, 0xee, 0xee, 0xee]);
    }
    return Promise.resolve();
  }));
