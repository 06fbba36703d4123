import { assertEquals } from "@std/assert";
import { Fences } from "../../../src/cache/fences.ts";
import { cacheKey } from "../../../src/core/key.ts";

const KEY = cacheKey("shop", "a");

Deno.test("Fence.holds until its key changes, and never again", () => {
  const fences = new Fences();
  using fence = fences.take(KEY);
  assertEquals(fence.holds, true);
  fences.void(cacheKey("shop", "b"));
  assertEquals(fence.holds, true);
  fences.void(KEY);
  assertEquals(fence.holds, false);
  using later = fences.take(KEY);
  assertEquals([fence.holds, later.holds], [false, true]);
});

Deno.test("Fences.void() voids every open fence of the key", () => {
  const fences = new Fences();
  using first = fences.take(KEY);
  using second = fences.take(KEY);
  fences.void(KEY);
  assertEquals([first.holds, second.holds], [false, false]);
});

Deno.test("Fences remembers a void while an older fence is still open", () => {
  const fences = new Fences();
  using old = fences.take(KEY);
  {
    using newer = fences.take(KEY);
    fences.void(KEY);
    assertEquals(newer.holds, false);
  }
  assertEquals(old.holds, false);
});

Deno.test("Fences starts afresh for a key without open fences", () => {
  const fences = new Fences();
  fences.take(KEY)[Symbol.dispose]();
  fences.void(KEY);
  using fence = fences.take(KEY);
  assertEquals(fence.holds, true);
});

Deno.test("Fences.takeForChange() voids the fences of reads, and holds while it is the only change", () => {
  const fences = new Fences();
  using read = fences.take(KEY);
  using change = fences.takeForChange(KEY);
  assertEquals([read.holds, change.holds], [false, true]);
  using readSince = fences.take(KEY);
  assertEquals(readSince.holds, true);
});

Deno.test("Fences.takeForChange() lets neither of two overlapping changes hold, whichever ends first", () => {
  const fences = new Fences();
  const first = fences.takeForChange(KEY);
  using second = fences.takeForChange(KEY);
  assertEquals([first.holds, second.holds], [false, false]);
  first[Symbol.dispose]();
  assertEquals(second.holds, false);
});

Deno.test("Fences.takeForChange() holds again once no other change is under way", () => {
  const fences = new Fences();
  fences.takeForChange(KEY)[Symbol.dispose]();
  using change = fences.takeForChange(KEY);
  assertEquals(change.holds, true);
});
