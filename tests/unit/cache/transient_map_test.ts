import { assertEquals } from "@std/assert";
import { TransientMap } from "../../../src/cache/transient_map.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";

Deno.test("TransientMap holds what was added and not deleted, however often it is rebuilt", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    for (const underWay of [0, 1, 30, 3_000]) {
      const map = new TransientMap<number, string>();
      const model = new Map<number, string>();
      for (let key = 0; key < 40_000; key++) {
        map.add(key, `${key}`);
        model.set(key, `${key}`);
        while (model.size > underWay) {
          const gone = model.keys().next().value!;
          map.delete(gone);
          model.delete(gone);
        }
        const asked = key - Math.floor(random() * 2 * (underWay + 1));
        assertEquals(map.get(asked), model.get(asked), `${asked}, ${underWay} under way`);
      }
      assertEquals([...map.values()], [...model.values()]);
      map.clear();
      assertEquals([...map.values()], []);
    }
    return Promise.resolve();
  }));

Deno.test("TransientMap.delete() accepts a key that is not there", () => {
  const map = new TransientMap<string, number>();
  map.add("a", 1);
  map.delete("b");
  assertEquals(map.get("a"), 1);
});
