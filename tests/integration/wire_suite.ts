import { Buffer } from "node:buffer";
import { assertEquals, assertMatch } from "@std/assert";
import { encodeRequest, METHODS, refusal } from "../support/client/client.ts";
import { CallError } from "../support/client/errors.ts";
import type { GetResponse } from "../support/client/messages.ts";
import { seededRandom, withSeed } from "../support/seeded_random.ts";
import type { ServedTest } from "../support/service/shared.ts";
import { goodRequest } from "./bad_input.ts";

/** Field 99, length-delimited, of a later release. */
const UNKNOWN_FIELD = [0x9a, 0x06, 3, 1, 2, 3];

/** What bytes a request may be made of. */
export function wireSuite(test: ServedTest): void {
  for (const method of METHODS) {
    test(`${method} refuses a message that ends too early`, async ({ client }) => {
      const encoded = encodeRequest(method, goodRequest(method));
      for (let length = 0; length < encoded.length; length++) {
        const outcome = await client.callBytes(method, encoded.subarray(0, length)).catch((error) => error);
        if (outcome instanceof CallError && outcome.code === "INVALID_ARGUMENT") continue;
        // Cut between two fields, it is a whole message, which may be a good one.
        assertEquals([method, outcome instanceof Uint8Array], ["SetSecret", true], `cut to ${length} bytes`);
      }
    });

    test(`${method} refuses what is no protobuf message`, async ({ client }) => {
      for (const bytes of [[0xff], [0x00, 0x00], [0x0b], [0x0e], [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]]) {
        const error = await refusal(client.callBytes(method, new Uint8Array(bytes)));
        assertEquals([error.code, error.reason], ["INVALID_ARGUMENT", "INVALID_ARGUMENT"]);
        assertEquals(error.violations?.map(({ field }) => field), ["request"]);
        assertMatch(error.message, /^Cannot read the request: it is not a protobuf message: /);
      }
    });

    test(`${method} answers whatever has happened to the bytes on their way`, async ({ client }) => {
      await withSeed(async (seed) => {
        const random = seededRandom(seed);
        const calls = Array.from({ length: 100 }, async () => {
          const bytes = encodeRequest(method, goodRequest(method));
          for (let flips = 1 + random() * 4; flips > 0; flips--) {
            bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
          }
          const code = await client.callBytes(method, bytes).then(
            () => "OK",
            (error: CallError) => error.code,
          );
          assertMatch(code, /^(OK|INVALID_ARGUMENT|NOT_FOUND)$/);
        });
        await Promise.all(calls);
      });
    });
  }

  test("a field of a later release is ignored, and kept in the value", async ({ client }) => {
    const name = { namespace: "wire", key: crypto.randomUUID() };
    const any = Buffer.concat([encodeAny("t", "v"), Buffer.from(UNKNOWN_FIELD)]);
    const request = Buffer.concat([
      encodeRequest("Get", name),
      Buffer.from([0x1a, any.length]),
      any,
      Buffer.from(UNKNOWN_FIELD),
    ]);
    await client.callBytes("Set", request);
    const response = await client.callBytes("Get", encodeRequest("Get", name));
    assertEquals(Buffer.from(response), Buffer.concat([Buffer.from([0x0a, any.length]), any]));
  });

  test("of a field that occurs twice the last is taken, messages are merged", async ({ client }) => {
    const name = { namespace: "wire", key: crypto.randomUUID() };
    const request = Buffer.concat([
      encodeRequest("Set", {
        namespace: "not this",
        value: { "type_url": "not this", value: Buffer.from("v") },
      }),
      encodeRequest("Set", { ...name, value: { "type_url": "t" } }),
    ]);
    await client.callBytes("Set", request);
    const { value } = await client.call<GetResponse>("Get", name);
    assertEquals([value.type_url, Buffer.from(value.value).toString()], ["t", "v"]);
  });

  test("a message that is larger than the transport takes is RESOURCE_EXHAUSTED", async ({ client, profile, service }) => {
    const request = goodRequest("Set");
    const value = { "type_url": "t", value: new Uint8Array(8 * 2 ** 20) };
    const before = await profile.stored();
    const error = await refusal(client.call("Set", { ...request, value }));
    assertEquals(error.code, "RESOURCE_EXHAUSTED");
    // grpc-js makes this error itself, and nothing can be added to it.
    const { transport } = await service.logged("serving");
    assertEquals(error.reason, transport === "native" ? "LIMIT_EXCEEDED" : undefined);
    assertEquals((await profile.stored()).filter((name) => !before.includes(name)), []);
    assertEquals((await refusal(client.call("Get", request))).code, "NOT_FOUND");
  });

  test("bad input leaves no error in the log and nothing on standard error", async ({ client, service }) => {
    await refusal(client.callBytes("Set", new Uint8Array([0xff])));
    assertEquals(service.log.filter(({ level }) => level !== "info"), []);
    assertEquals(service.errors, []);
  });
}

function encodeAny(typeUrl: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x0a, typeUrl.length]),
    Buffer.from(typeUrl),
    Buffer.from([0x12, value.length]),
    Buffer.from(value),
  ]);
}
