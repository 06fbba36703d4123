/** The small text forms of gRPC's header fields. Source: PROTOCOL-HTTP2.md. */
import { assert, assertEquals } from "@std/assert";
import {
  decodeBase64,
  encodeBase64,
  fieldsFromMetadata,
  metadataFromFields,
} from "../../../../src/transport/grpc/metadata_fields.ts";
import { percentEncode } from "../../../../src/transport/grpc/response_fields.ts";
import { parseTimeoutMs } from "../../../../src/transport/grpc/timeout_header.ts";
import { Metadata } from "../../../../src/transport/metadata.ts";

for (
  const [text, ms] of [
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3000],
    ["4m", 4],
    ["5u", 1],
    ["5001u", 6],
    ["7n", 1],
    ["0S", 0],
    ["00000000n", 0],
    ["99999999H", 359_999_996_400_000],
  ] as const
) {
  Deno.test(`parseTimeoutMs() reads ${text} as ${ms} ms`, () => {
    assertEquals(parseTimeoutMs(text), ms);
  });
}

Deno.test("parseTimeoutMs() refuses nine digits, other units and other characters", () => {
  for (const text of ["100000000S", "1h", "1", "m", "+1S", "1.0S", " 1S", "1S\n"]) {
    assertEquals(parseTimeoutMs(text), undefined, text);
  }
});

Deno.test("percentEncode() keeps printable ASCII but the percent sign, and encodes the rest as UTF-8", () => {
  assertEquals(percentEncode("plain ~ text!"), "plain ~ text!");
  assertEquals(percentEncode("50% ü\r\n\u{1f600}"), "50%25 %C3%BC%0D%0A%F0%9F%98%80");
  assertEquals(decodeURIComponent(percentEncode("100 % «»\t\x7f")), "100 % «»\t\x7f");
});

Deno.test("encodeBase64() and decodeBase64() preserve all octets, with padding or without", () => {
  for (let length = 0; length < 10; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => 250 + i);
    const text = encodeBase64(bytes);
    assert(!text.includes("="));
    assertEquals(decodeBase64(text), bytes);
    assertEquals(decodeBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "=")), bytes);
  }
  assertEquals(decodeBase64("a*b"), undefined);
  assertEquals(decodeBase64("a"), undefined);
});

Deno.test("metadataFromFields() leaves out the protocol's fields and those that are not metadata", () => {
  const fields = [["te", "trailers"], ["x", "1"], ["x", "2"], ["a-bin", "AQ,Ag=="], ["b", "\xff"], [
    "c!",
    "1",
  ], ["user-agent", "u"]];
  const metadata = metadataFromFields(fields.map(([name, value]) => ({ name: name!, value: value! })));
  assertEquals([...metadata.entries()], [
    ["x", ["1", "2"]],
    ["a-bin", [Uint8Array.of(1), Uint8Array.of(2)]],
    ["user-agent", ["u"]],
  ]);
});

Deno.test("fieldsFromMetadata() leaves out the fields that the protocol itself sends", () => {
  const metadata = new Metadata();
  for (const key of ["grpc-status", "grpc-message", "content-type", "te", "upgrade", "x"]) {
    metadata.set(key, "1");
  }
  metadata.set("y-bin", Uint8Array.of(255));
  assertEquals(fieldsFromMetadata(metadata), [{ name: "x", value: "1" }, { name: "y-bin", value: "/w" }]);
});
