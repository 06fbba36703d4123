import { assert, assertEquals } from "@std/assert";
import { ReadBuffer } from "../../../../src/transport/native/read_buffer.ts";

Deno.test("ReadBuffer grows while reads fill it, and shrinks after many small reads", () => {
  const buffer = new ReadBuffer();
  const idle = buffer.bytes.length;
  assert(idle <= 1024);
  while (buffer.bytes.length < 64 * 1024) buffer.adapt(buffer.bytes.length);
  buffer.adapt(buffer.bytes.length);
  assertEquals(buffer.bytes.length, 64 * 1024);
  for (let i = 0; i < 31; i++) buffer.adapt(10);
  buffer.adapt(buffer.bytes.length / 2);
  for (let i = 0; i < 31; i++) buffer.adapt(10);
  assertEquals(buffer.bytes.length, 64 * 1024);
  for (let i = 0; i < 100; i++) buffer.adapt(10);
  assertEquals(buffer.bytes.length, idle);
});
