import { assert, assertEquals } from "@std/assert";
import { UNVERSIONED } from "../../../../src/core/version.ts";
import { MAX_RECORD_VALUE_BYTES, SLAB_BYTES } from "../../../../src/store/memory/slab.ts";
import { recordBytes, SlabHeap } from "../../../../src/store/memory/slab_heap.ts";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";

/** The slab being filled, and the one that it follows while its survivors move. */
const SLABS_UNDER_WAY = 2;

Deno.test("SlabHeap.get() returns what was added to each slot", () => {
  const heap = new SlabHeap();
  const sizes = [0, 1, 7, 8, 9, 100, MAX_RECORD_VALUE_BYTES];
  const slots = sizes.map((length, index) => heap.add(new Uint8Array(length).fill(index), index + 0.5));
  sizes.forEach((length, index) =>
    assertEquals(heap.get(slots[index]!), {
      value: new Uint8Array(length).fill(index),
      expiresAtMs: index + 0.5,
      version: UNVERSIONED,
    })
  );
});

Deno.test("SlabHeap keeps a copy, which later changes of the added value do not reach", () => {
  const heap = new SlabHeap();
  const value = new Uint8Array(10).fill(1);
  const slot = heap.add(value, Infinity);
  value.fill(2);
  assertEquals(heap.get(slot).value, new Uint8Array(10).fill(1));
});

Deno.test("SlabHeap reuses slots, but never the memory of a view", () => {
  const heap = new SlabHeap();
  const slot = heap.add(new Uint8Array(1_000).fill(1), Infinity);
  const { value } = heap.get(slot);
  heap.remove(slot);
  for (let index = 0; index < 1_000; index++) {
    assertEquals(heap.add(new Uint8Array(1_000).fill(2), Infinity), slot);
    heap.remove(slot);
  }
  assertEquals(value, new Uint8Array(1_000).fill(1));
  assertEquals(heap.heldBytes, SLAB_BYTES);
});

Deno.test("SlabHeap frees a slab when few of its records are left, and keeps these", () => {
  const heap = new SlabHeap();
  const survivors: number[] = [];
  // One in a hundred stays: without moving them together, every slab would have one.
  for (let index = 0; index < 100_000; index++) {
    const slot = heap.add(new Uint8Array(100).fill(index), index);
    if (index % 100 === 0) survivors.push(slot);
    else heap.remove(slot);
  }
  assertEquals(survivors.map((slot) => heap.get(slot).expiresAtMs), survivors.map((_, index) => index * 100));
  survivors.forEach((slot, index) =>
    assertEquals(heap.get(slot).value, new Uint8Array(100).fill(index * 100))
  );
  const mostBytes = survivors.length * recordBytes(100) + SLABS_UNDER_WAY * SLAB_BYTES;
  assert(heap.heldBytes <= mostBytes, `${heap.heldBytes} bytes held, at most ${mostBytes} expected`);
});

Deno.test("SlabHeap moves no record if the oldest are removed first", () => {
  const heap = new SlabHeap();
  const kept: { readonly slot: number; readonly memory: ArrayBufferLike }[] = [];
  let moved = 0;
  for (let index = 0; index < 100_000; index++) {
    const slot = heap.add(new Uint8Array(100), index);
    kept.push({ slot, memory: heap.get(slot).value.buffer });
    if (kept.length <= 5_000) continue;
    const { slot: oldest, memory } = kept.shift()!;
    if (heap.get(oldest).value.buffer !== memory) moved++;
    heap.remove(oldest);
  }
  assertEquals(moved, 0);
});

Deno.test("SlabHeap holds what was added within recordBytes(), whatever is added and removed", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    const heap = new SlabHeap();
    const live = new Map<number, Uint8Array>();
    const slots: number[] = [];
    const seen: { readonly view: Uint8Array; readonly copy: Uint8Array }[] = [];
    let countedBytes = 0;
    for (let step = 0; step < 60_000; step++) {
      // In waves, so that both filling and emptying come to their ends.
      const isFilling = random() < (step % 20_000 < 12_000 ? 0.7 : 0.2);
      if (isFilling || live.size === 0) {
        const value = new Uint8Array(random() ** 6 * MAX_RECORD_VALUE_BYTES).fill(random() * 256);
        const slot = heap.add(value, step);
        assert(!live.has(slot), `step ${step}: slot ${slot} was given out twice`);
        live.set(slot, value);
        slots.push(slot);
        countedBytes += recordBytes(value.length);
      } else {
        const at = Math.floor(random() * slots.length);
        const slot = slots[at]!;
        slots[at] = slots.at(-1)!;
        slots.pop();
        const { value: view } = heap.get(slot);
        if (step % 100 === 0) seen.push({ view, copy: new Uint8Array(view) });
        assertEquals(view, live.get(slot), `step ${step}: slot ${slot}`);
        heap.remove(slot);
        countedBytes -= recordBytes(view.length);
        live.delete(slot);
      }
      const mostBytes = countedBytes + SLABS_UNDER_WAY * SLAB_BYTES;
      assert(heap.heldBytes <= mostBytes, `step ${step}: ${heap.heldBytes} bytes held, not ${mostBytes}`);
    }
    for (const [slot, value] of live) assertEquals(heap.get(slot).value, value);
    for (const { view, copy } of seen) assertEquals(view, copy);
    return Promise.resolve();
  }));
