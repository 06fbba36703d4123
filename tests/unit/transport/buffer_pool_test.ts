import { assert, assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { BufferPool } from "../../../src/transport/buffer_pool.ts";
import { OutputBuffer } from "../../../src/transport/output_buffer.ts";

Deno.test("BufferPool.acquire() reuses released buffers, and makes a larger one when they are too small", () => {
  const pool = new BufferPool();
  const first = pool.acquire(10);
  pool.release(first);
  assert(pool.acquire(10) === first);
  pool.release(first);
  assert(pool.acquire(100_000).length >= 100_000);
});

Deno.test("BufferPool.acquire() returns the smallest buffer that is large enough", () => {
  const pool = new BufferPool();
  const [small, middle, large] = [pool.acquire(1), pool.acquire(20_000), pool.acquire(200_000)];
  for (const buffer of [middle, large, small]) pool.release(buffer);
  assert(pool.acquire(small.length + 1) === middle);
  assert(pool.acquire(small.length + 1) === large);
  assert(pool.acquire(1) === small);
});

Deno.test("An OutputBuffer that has grown frame by frame returns to the pool for the next turn", () => {
  const pool = new BufferPool();
  const out = new OutputBuffer(pool);
  const fill = () => {
    for (let frame = 0; frame < 9; frame++) out.append(new Uint8Array(16 * 1024 + 9));
    const taken = out.take();
    out.release(taken);
    return taken.buffer;
  };
  assertStrictEquals(fill(), fill());
});

Deno.test("BufferPool keeps neither large buffers nor more than 4 MiB", () => {
  const pool = new BufferPool();
  const large = pool.acquire(1_000_000);
  pool.release(large);
  assert(pool.acquire(1) !== large);
  const buffers = Array.from({ length: 30 }, () => pool.acquire(256 * 1024));
  buffers.forEach((buffer) => pool.release(buffer));
  const again = Array.from({ length: 30 }, () => pool.acquire(1));
  assertEquals(again.filter((buffer) => buffers.includes(buffer)).length, 16);
});

Deno.test("OutputBuffer keeps its octets while it grows, and starts empty after take()", () => {
  const out = new OutputBuffer(new BufferPool());
  const written: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    if (i % 7 === 0) out.append(Uint8Array.of(1, 2, 3));
    else out.push(i & 255);
    written.push(...(i % 7 === 0 ? [1, 2, 3] : [i & 255]));
  }
  assertEquals([...out.take()], written);
  assertEquals(out.length, 0);
  out.push(9);
  assertEquals([...out.take()], [9]);
});

Deno.test("OutputBuffer.release() lets the next turn write into the same memory", () => {
  const pool = new BufferPool();
  const out = new OutputBuffer(pool);
  out.push(1);
  const taken = out.take();
  out.push(2);
  assertNotEquals(out.bytes.buffer, taken.buffer);
  out.release(taken);
  assert(pool.acquire(1).buffer === taken.buffer);
});
