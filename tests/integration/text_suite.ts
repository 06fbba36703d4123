import { Buffer } from "node:buffer";
import { assert } from "@std/assert";
import type { MethodName } from "../../src/api/cache_server.ts";
import { type CacheClient, encodeRequest } from "../support/client/client.ts";
import { CallError } from "../support/client/errors.ts";
import type { ServedTest } from "../support/service/shared.ts";
import { expectRefused, goodRequest, withText } from "../support/client/bad_input.ts";

/** A text field, and its limits by the contract. */
interface TextLimit {
  readonly field: string;
  readonly methods: readonly MethodName[];
  readonly min: 0 | 1;
  readonly max: number;
  readonly unit: "bytes" | "characters";
}

const LIMITS: readonly TextLimit[] = [
  { field: "namespace", methods: ["Set", "Get", "Del"], min: 1, max: 253, unit: "bytes" },
  { field: "key", methods: ["Set", "Get", "Del"], min: 1, max: 1024, unit: "bytes" },
  { field: "value.type_url", methods: ["Set"], min: 1, max: 1024, unit: "bytes" },
  { field: "key", methods: ["SetSecret", "GetSecret", "DelSecret"], min: 1, max: 253, unit: "bytes" },
  { field: "name", methods: ["SetSecret"], min: 1, max: 253, unit: "characters" },
  { field: "description", methods: ["SetSecret"], min: 0, max: 256, unit: "characters" },
];

/** Characters of 1, 2, 3 and 4 bytes of UTF-8; the last takes two UTF-16 code units. */
const CHARACTERS = ["a", "é", "€", "😀"];

/** The first and last characters of the two blocks of general category Cc, and the most common ones. */
const CONTROL_CHARACTERS = [
  "\0",
  "\u0001",
  "\t",
  "\n",
  "\r",
  "\u001f",
  "\u007f",
  "\u0080",
  "\u0085",
  "\u009f",
];

/** Characters that are text although they look like control characters. */
const ODD_TEXT = " \u00a0\u00ad\u200b\u2028\ufeff\uffff%\\/'\"`;${}\u{10ffff}";

/** A lone continuation byte, a sequence cut off, an overlong NUL, a surrogate, a character past U+10FFFF. */
const NOT_UTF8 = [[0x80], [0xe2, 0x82], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]];

/** Marks the bytes that are replaced in an encoded request. */
const MARK = "here:";

/** Texts at and over their limits, control characters, and bytes that are not UTF-8. */
export function textSuite(test: ServedTest): void {
  for (const { field, methods, min, max, unit } of LIMITS) {
    const expected = min === 1 ? `expected 1 to ${max}` : `expected at most ${max}`;
    for (const method of methods) {
      const title = `${method}.${field}`;

      test(`${title} accepts ${max} ${unit} and not one more`, async ({ client, profile }) => {
        for (const character of CHARACTERS) {
          const full = filled(character, max, unit);
          await expectAccepted(client, method, withText(goodRequest(method), field, full));
          const over = withText(goodRequest(method), field, full + "a");
          await expectRefused({ client, profile }, method, over, [
            { field, description: `is ${max + 1} ${unit}, ${expected}` },
          ]);
        }
      });

      test(`${title} ${min === 0 ? "may be" : "must not be"} empty`, async ({ client, profile }) => {
        const request = withText(goodRequest(method), field, "");
        if (min === 0) return await expectAccepted(client, method, request);
        await expectRefused({ client, profile }, method, request, [
          { field, description: `is empty, ${expected} ${unit}` },
        ]);
      });

      test(`${title} accepts any character except control characters`, async ({ client, profile }) => {
        await expectAccepted(
          client,
          method,
          withText(goodRequest(method), field, crypto.randomUUID() + ODD_TEXT),
        );
        for (const character of CONTROL_CHARACTERS) {
          const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
          const request = withText(goodRequest(method), field, `ab${character}c`);
          await expectRefused({ client, profile }, method, request, [
            { field, description: `has control character U+${code} at position 2, expected none` },
          ]);
        }
      });

      test(`${title} must be UTF-8`, async ({ client, profile }) => {
        for (const bytes of NOT_UTF8) {
          const text = MARK + "#".repeat(bytes.length);
          const encoded = encodeRequest(method, withText(goodRequest(method), field, text));
          encoded.set(bytes, Buffer.from(encoded).indexOf(MARK) + MARK.length);
          await expectRefused({ client, profile }, method, encoded, [
            { field, description: "is not valid UTF-8" },
          ]);
        }
      });
    }
  }
}

/** A text of exactly `count` units that no other test uses, made of one kind of character as far as possible. */
function filled(character: string, count: number, unit: "bytes" | "characters"): string {
  const unique = crypto.randomUUID();
  const size = unit === "bytes" ? new TextEncoder().encode(character).length : 1;
  const left = count - unique.length;
  return unique + character.repeat(left / size) + "a".repeat(left % size);
}

/** OK, or NOT_FOUND of a read: the name was accepted. */
async function expectAccepted(client: CacheClient, method: MethodName, request: object): Promise<void> {
  try {
    await client.call(method, request);
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== "NOT_FOUND") throw error;
    assert(method === "Get" || method === "GetSecret", `${method} answers NOT_FOUND`);
  }
}
