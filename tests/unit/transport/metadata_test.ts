import { assertEquals, assertThrows } from "@std/assert";
import { Metadata } from "../../../src/transport/metadata.ts";

Deno.test("Metadata keeps several values a key in their order, whatever the key's case", () => {
  const metadata = new Metadata();
  metadata.add("X-Trace", "1");
  metadata.add("x-trace", "2");
  assertEquals(metadata.get("X-TRACE"), ["1", "2"]);
  metadata.set("x-TRACE", "3");
  assertEquals([...metadata.entries()], [["x-trace", ["3"]]]);
  metadata.remove("X-trace");
  assertEquals(metadata.get("x-trace"), []);
});

Deno.test("Metadata accepts bytes for keys that end in -bin and printable text for the others", () => {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", new Uint8Array([0, 255]));
  metadata.set("a.b_c-0", " !~");
  assertEquals(metadata.get("grpc-status-details-bin"), [new Uint8Array([0, 255])]);
  const refused = [
    ["a-bin", "text", "a -bin key takes bytes"],
    ["a", new Uint8Array(1), "expected printable ASCII text"],
    ["a", "line\nbreak", "expected printable ASCII text"],
    ["a", "ß", "expected printable ASCII text"],
    ["", "v", 'key "": expected characters of 0-9 a-z _ . -'],
    ["a b", "v", 'key "a b": expected characters'],
    [":path", "v", 'key ":path": expected characters'],
  ] as const;
  for (const [key, value, text] of refused) {
    assertThrows(() => metadata.set(key, value), TypeError, text);
    assertThrows(() => metadata.add(key, value), TypeError, text);
  }
});
