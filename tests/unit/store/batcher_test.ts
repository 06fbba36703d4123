import { assertEquals } from "@std/assert";
import { Batcher, type BatcherOptions, type TakeBatch } from "../../../src/store/batcher.ts";
import { turn } from "../../support/turn.ts";

const MAX_UNDER_WAY = 2;

/** A batcher of two requests a batch, with the batches that it has started. */
function open({ excess }: Pick<BatcherOptions<string, void>, "excess">) {
  const started: { readonly take: TakeBatch<string, void>; readonly end: () => void }[] = [];
  const batcher = new Batcher<string, void>({
    maxRequests: 2,
    maxUnderWay: MAX_UNDER_WAY,
    excess,
    run(take) {
      const { promise, resolve } = Promise.withResolvers<void>();
      started.push({ take, end: resolve });
      return promise;
    },
  });
  const add = (...names: string[]) => {
    for (const name of names) batcher.add(name);
    return turn();
  };
  const take = (index: number) => started[index]!.take().map(({ request }) => request);
  return { batcher, started, add, take };
}

Deno.test("Batcher starts no more batches than allowed if excess requests wait", async () => {
  const { started, add, take } = open({ excess: "waits" });
  await add("a", "b", "c", "d", "e");
  assertEquals(started.length, MAX_UNDER_WAY);
  assertEquals([take(0), take(1)], [["a", "b"], ["c", "d"]]);
  started[1]!.end();
  await turn();
  assertEquals([started.length, take(2)], [3, ["e"]]);
});

Deno.test("Batcher starts the batches of all waiting requests together if excess requests start", async () => {
  const { started, add, take } = open({ excess: "starts" });
  await add("a", "b", "c", "d", "e");
  assertEquals([take(0), take(1), take(2)], [["a", "b"], ["c", "d"], ["e"]]);
  await add("f");
  assertEquals(started.length, 3);
  started[0]!.end();
  await turn();
  assertEquals(started.length, 3, "two are still under way");
  started[1]!.end();
  await turn();
  assertEquals([started.length, take(3)], [4, ["f"]]);
});

Deno.test("Batcher.putBack() makes requests the oldest again", async () => {
  const { batcher, started, add } = open({ excess: "waits" });
  await add("a", "b");
  const [, left] = started[0]!.take();
  batcher.putBack([left!]);
  await add("c");
  const next = started[1]!.take();
  assertEquals(next.map(({ request }) => request), ["b", "c"]);
});
