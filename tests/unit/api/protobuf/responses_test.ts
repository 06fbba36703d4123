import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { writeMilliseconds } from "../../../../src/api/protobuf/common_messages.ts";
import { getResponseWriter } from "../../../../src/api/protobuf/namespaced_messages.ts";
import { ProtobufWriter } from "../../../../src/api/protobuf/writer.ts";
import { encodeGetSecretResponse } from "../../../../src/api/protobuf/secret_messages.ts";
import { encode } from "../../../../src/api/unary.ts";
import { MAX_DURATION_SECONDS } from "../../../../src/business/time_to_live.ts";
import type { Secret } from "../../../../src/core/secret.ts";
import { concat } from "../../../protocol/frames.ts";
import { decodeMessage, type GetResponse, type GetSecretResponse } from "../../../support/client/messages.ts";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";
import { Draw } from "./reference.ts";

/** The encoding of an Any with a type URL of two letters and 300 bytes. */
const ANY = Uint8Array.from([0x0a, 2, 0x74, 0x75, 0x12, 0xac, 2, ...new Uint8Array(300).fill(7)]);

/** Decodes a written response; its pieces must have the same bytes. */
function decodeGet(timeLeftMs: number, any = ANY): GetResponse {
  const written = encode({ any, timeLeftMs }, getResponseWriter);
  assertEquals(concat(...getResponseWriter.pieces({ any, timeLeftMs })), written);
  return decodeMessage("cacheserver.v1.GetResponse", written);
}

function millisecondsOf({ seconds, nanos }: { readonly seconds: number; readonly nanos: number }): number {
  return seconds * 1000 + nanos / 1e6;
}

function drawSecret(draw: Draw): Secret {
  return {
    userId: draw.text(),
    name: draw.text(200),
    secretId: draw.text(),
    secretKey: draw.text(),
    expires: draw.integer(),
    status: draw.integer() | 0,
    description: draw.text(200),
    createdAtMs: Math.abs(draw.integer()) % 2 ** 43,
    updatedAtMs: Math.abs(draw.integer()) % 2 ** 43,
  };
}

Deno.test("getResponseWriter writes the stored Any unchanged, and the time left to the millisecond", () =>
  withSeed((seed) => {
    const draw = new Draw(seededRandom(seed));
    const edges = [1, 999, 1_000, 1_001, 127_999, 128_000, 2 ** 32 * 1_000, MAX_DURATION_SECONDS * 1_000];
    const drawn = Array.from({ length: 300 }, () => 1 + Math.floor(draw.random() * 2 ** draw.below(49)));
    for (const timeLeftMs of [...edges, ...drawn]) {
      const { value, expire } = decodeGet(timeLeftMs);
      assertEquals([value.type_url, value.value.length], ["tu", 300]);
      assert(expire !== null);
      assertEquals(millisecondsOf(expire), timeLeftMs);
    }
    return Promise.resolve();
  }));

Deno.test("getResponseWriter writes no expire for an entry that never expires", () => {
  assertEquals(decodeGet(Infinity).expire, null);
});

Deno.test("getResponseWriter's pieces hold a large Any itself, and a copy of a small part of a large buffer", () => {
  const large = new Uint8Array(100_000);
  assertStrictEquals(getResponseWriter.pieces({ any: large, timeLeftMs: 1 })[1], large);
  const small = new Uint8Array(large.buffer, 50_000, ANY.length);
  small.set(ANY);
  const [, held] = getResponseWriter.pieces({ any: small, timeLeftMs: 1 });
  assertEquals(held, ANY);
  assertEquals(held!.buffer.byteLength, ANY.length);
});

Deno.test("getResponseWriter takes an Any of any length", () => {
  for (const length of [0, 1, 63, 64, 8_191, 8_192, 1 << 20]) {
    // Empty fields 5, which an Any does not have, two bytes each.
    const any = new Uint8Array(2 * length).map((_, index) => index % 2 === 0 ? 0x2a : 0);
    assertEquals(decodeGet(1, any).expire, { seconds: 0, nanos: 1_000_000 });
  }
});

Deno.test("encodeGetSecretResponse() writes what protobufjs reads", () =>
  withSeed((seed) => {
    const draw = new Draw(seededRandom(seed));
    for (let round = 0; round < 300; round++) {
      const secret = drawSecret(draw);
      const bytes = encodeGetSecretResponse(secret);
      const read = decodeMessage<GetSecretResponse>("cacheserver.v1.GetSecretResponse", bytes);
      assertEquals<Secret>({
        userId: read.userID,
        name: read.name,
        secretId: read.secretID,
        secretKey: read.secretKey,
        expires: read.expires,
        status: read.status,
        description: read.description,
        createdAtMs: millisecondsOf(read.createdAt),
        updatedAtMs: millisecondsOf(read.updatedAt),
      }, secret);
    }
    return Promise.resolve();
  }));

Deno.test("encodeGetSecretResponse() encodes a secret in memory once", () => {
  const secret = drawSecret(new Draw(seededRandom(1)));
  assertStrictEquals(encodeGetSecretResponse(secret), encodeGetSecretResponse(secret));
  assert(encodeGetSecretResponse({ ...secret }) !== encodeGetSecretResponse(secret));
});

Deno.test("writeMilliseconds() counts nanoseconds upwards, also before 1970", () => {
  const read = (ms: number) =>
    decodeMessage("google.protobuf.Timestamp", ProtobufWriter.encode((time) => writeMilliseconds(time, ms)));
  assertEquals(read(0), { seconds: 0, nanos: 0 });
  assertEquals(read(1_735_689_600_123), { seconds: 1_735_689_600, nanos: 123_000_000 });
  assertEquals(read(-1), { seconds: -1, nanos: 999_000_000 });
});
