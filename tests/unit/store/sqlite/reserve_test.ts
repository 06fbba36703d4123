import { assertEquals } from "@std/assert";
import { SqliteReserve } from "../../../../src/store/sqlite/reserve.ts";
import { mayMount, smallVolume } from "../../../support/sqlite/small_volume.ts";

const BYTES = 3 * 2 ** 20 + 5;
const SIZES = { reserveBytes: BYTES, roomBytes: 2 ** 20 };

async function withPath(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/cache.db.reserve`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("SqliteReserve holds its bytes on the disk from fill() to release()", async () => {
  await withPath(async (path) => {
    using reserve = new SqliteReserve(path, SIZES);
    assertEquals([reserve.isHeld, await reserve.fill(), reserve.isHeld], [false, true, true]);
    const { size, blocks } = Deno.statSync(path);
    assertEquals([size, (blocks ?? 0) * 512 >= BYTES], [BYTES, true]);
    reserve.release();
    assertEquals([reserve.isHeld, Deno.statSync(path).size], [false, 0]);
  });
});

Deno.test("SqliteReserve is still held when it is opened again, and gives up what is too much", async () => {
  await withPath(async (path) => {
    {
      using reserve = new SqliteReserve(path, SIZES);
      await reserve.fill();
    }
    using again = new SqliteReserve(path, { ...SIZES, reserveBytes: BYTES - 1 });
    assertEquals([again.isHeld, Deno.statSync(path).size], [true, BYTES - 1]);
  });
});

Deno.test({
  name: "SqliteReserve takes nothing while the disk has no room beside it, and says so",
  ignore: !mayMount,
  fn: async () => {
    await using volume = await smallVolume(6);
    using reserve = new SqliteReserve(`${volume.path}/reserve`, SIZES);
    const free = volume.fillUp();
    assertEquals([await reserve.fill(), reserve.hasRoom], [false, false]);
    free();
    assertEquals([await reserve.fill(), reserve.hasRoom], [true, true]);
    volume.fillUp();
    assertEquals([reserve.isHeld, reserve.hasRoom], [true, false]);
  },
});
