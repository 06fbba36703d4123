import { assertEquals, assertStringIncludes } from "@std/assert";
import { refusal } from "../support/client/client.ts";
import type { Duration, GetResponse } from "../support/client/messages.ts";
import type { ServedTest } from "../support/service/shared.ts";
import { expectRefused, goodRequest } from "../support/client/bad_input.ts";

const MIB = 2 ** 20;
const LONGEST_SECONDS = 315_576_000_000;

const OUT_OF_RANGE: readonly (readonly [Duration, string])[] = [
  [{}, "0"],
  [{ nanos: -1 }, "-0.000000001"],
  [{ seconds: -1 }, "-1"],
  [{ seconds: -1, nanos: -500_000_000 }, "-1.5"],
  [{ seconds: 10 ** 12 }, "1000000000000"],
  [{ seconds: LONGEST_SECONDS, nanos: 1 }, `${LONGEST_SECONDS}.000000001`],
  [{ seconds: "9007199254740991" }, "9007199254740991"],
];

const NO_DURATION: readonly Duration[] = [
  { nanos: 1_000_000_000 },
  { seconds: 1, nanos: 1_000_000_000 },
  { seconds: -1, nanos: -1_000_000_000 },
  { seconds: 1, nanos: -1 },
  { seconds: -1, nanos: 1 },
];

const EXPECTED = `expected more than 0 and at most ${LONGEST_SECONDS} seconds`;

/** Values and times to live at and over their limits, and requests with several violations. */
export function valueSuite(test: ServedTest): void {
  test("Set.value accepts 1 MiB and not a byte more", async ({ client, profile }) => {
    const request = goodRequest("Set");
    const full = crypto.getRandomValues(new Uint8Array(65_536));
    const bytes = new Uint8Array(MIB).map((_, index) => full[index % full.length]!);
    await client.call("Set", { ...request, value: { "type_url": "t", value: bytes } });
    const found = await client.call<GetResponse>("Get", request);
    assertEquals(new Uint8Array(found.value.value), bytes);

    const over = { ...goodRequest("Set"), value: { "type_url": "t", value: new Uint8Array(MIB + 1) } };
    await expectRefused({ client, profile }, "Set", over, [
      { field: "value.value", description: `is ${MIB + 1} bytes, expected at most ${MIB}` },
    ]);
  });

  test("Set.value is required", async ({ client, profile }) => {
    await expectRefused({ client, profile }, "Set", { ...goodRequest("Set"), value: null }, [
      { field: "value", description: "is absent, expected a google.protobuf.Any" },
    ]);
  });

  for (const method of ["Set", "SetSecret"] as const) {
    test(`${method}.expire must be positive and at most 10,000 years`, async ({ client, profile }) => {
      await client.call(method, { ...goodRequest(method), expire: { seconds: LONGEST_SECONDS } });
      for (const [expire, text] of OUT_OF_RANGE) {
        await expectRefused({ client, profile }, method, { ...goodRequest(method), expire }, [
          { field: "expire", description: `is ${text} seconds, ${EXPECTED}` },
        ]);
      }
    });

    test(`${method}.expire of an extreme int64 is INVALID_ARGUMENT`, async ({ client }) => {
      for (const seconds of ["9223372036854775807", "-9223372036854775808"]) {
        const error = await refusal(client.call(method, { ...goodRequest(method), expire: { seconds } }));
        assertEquals(error.code, "INVALID_ARGUMENT");
        assertEquals(error.violations?.map(({ field }) => field), ["expire"]);
      }
    });

    test(`${method}.expire must be a Duration: nanos below a second, of the same sign`, async (served) => {
      for (const expire of NO_DURATION) {
        const said = `${expire.seconds ?? 0} seconds and ${expire.nanos} nanos`;
        await expectRefused(served, method, { ...goodRequest(method), expire }, [
          {
            field: "expire",
            description: `is not a Duration (${said}), ${EXPECTED}, nanos of the same sign`,
          },
        ]);
      }
    });

    test(`${method} that is refused does not change an existing entry`, async ({ client }) => {
      const request = goodRequest(method);
      const get = method === "Set" ? "Get" : "GetSecret";
      await client.call(method, request);
      const before = await client.call<object>(get, request);
      await refusal(client.call(method, { ...request, name: "other", value: null, expire: {} }));
      assertEquals(await client.call<object>(get, request), before);
    });
  }

  test("Set reports all violations at once", async (served) => {
    const request = { namespace: "", key: "k".repeat(1025), expire: { seconds: -1 } };
    await expectRefused(served, "Set", request, [
      { field: "namespace", description: "is empty, expected 1 to 253 bytes" },
      { field: "key", description: "is 1025 bytes, expected 1 to 1024" },
      { field: "value", description: "is absent, expected a google.protobuf.Any" },
      { field: "expire", description: `is -1 seconds, ${EXPECTED}` },
    ]);
  });

  test("SetSecret reports all violations at once", async (served) => {
    const request = { description: "\n" + "d".repeat(256), expire: {} };
    await expectRefused(served, "SetSecret", request, [
      { field: "key", description: "is empty, expected 1 to 253 bytes" },
      { field: "name", description: "is empty, expected 1 to 253 characters" },
      { field: "description", description: "is 257 characters, expected at most 256" },
      { field: "description", description: "has control character U+000A at position 0, expected none" },
      { field: "expire", description: `is 0 seconds, ${EXPECTED}` },
    ]);
  });

  test("an error quotes a long key in part and no value", async ({ client }) => {
    const value = { "type_url": "t", value: new TextEncoder().encode("do not show") };
    const request = { namespace: "n", key: "k".repeat(1025), value };
    const error = await refusal(client.call("Set", request));
    assertStringIncludes(error.message, `key "${"k".repeat(64)}…"`);
    assertEquals(error.message.includes("do not show"), false);
  });
}
