import { assert, assertEquals, assertThrows } from "@std/assert";
import { ServiceError } from "../../../../src/core/errors.ts";
import type { Secret } from "../../../../src/core/secret.ts";
import { decodeSecret, encodeSecret } from "../../../../src/store/redis/secret_codec.ts";

const SECRET: Secret = {
  userId: "u",
  name: 'ß"\\\u2028\u{1f511}',
  secretId: "",
  secretKey: "hunter2",
  expires: Number.MAX_SAFE_INTEGER,
  status: -128,
  description: "\ufeff",
  createdAtMs: 0,
  updatedAtMs: 1_735_689_600_123,
};

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("decodeSecret() reads what encodeSecret() wrote, to the last character and number", () => {
  assertEquals(decodeSecret(utf8(encodeSecret(SECRET))), SECRET);
});

Deno.test("decodeSecret() refuses anything else, and does not quote it", () => {
  const json = (value: unknown) => utf8(JSON.stringify(value));
  const whole = utf8(encodeSecret(SECRET));
  const { secretKey: _secretKey, ...missing } = SECRET;
  const wrong = [
    new Uint8Array(0),
    whole.subarray(0, whole.length - 1),
    Uint8Array.from([...whole, 0xff]),
    json(null),
    json([]),
    json("hunter2"),
    json(missing),
    ...Object.keys(SECRET).map((field) => json({ ...SECRET, [field]: null })),
  ];
  for (const bytes of wrong) {
    const error = assertThrows(() => decodeSecret(bytes), ServiceError, "Cannot read a secret in Redis");
    assertEquals(error.code, "internal");
    assert(!error.message.includes("hunter2"));
  }
});
