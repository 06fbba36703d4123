import { assert, assertEquals } from "@std/assert";
import { CHURN_LIMITS, type ChurnedMemory } from "../support/service/memory_churn.ts";
import { withSeed } from "../support/seeded_random.ts";

const CHURN = decodeURIComponent(new URL("../support/service/memory_churn.ts", import.meta.url).pathname);

/** Compiled code, and the slabs that are being filled: in a process at work anyway. */
const SLACK_BYTES = 2 ** 20;

Deno.test("LruMemory counts at least the bytes that are alive, and less than twice as many, under any churn", () =>
  withSeed(async (seed) => {
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--v8-flags=--expose-gc", "--allow-read", CHURN, String(seed)],
      stdin: "null",
      stderr: "inherit",
    }).output();
    assert(success, "the process that churns has failed, see above");
    const measured = JSON.parse(new TextDecoder().decode(stdout)) as ChurnedMemory[];
    assertEquals(measured.length, 3);
    for (const { mix, countedBytes, liveBytes } of measured) {
      const what = `${mix}: ${liveBytes} bytes live, ${countedBytes} are counted`;
      assert(countedBytes <= CHURN_LIMITS.maxBytes && countedBytes > 0.9 * CHURN_LIMITS.maxBytes, what);
      assert(liveBytes <= countedBytes + SLACK_BYTES && liveBytes > countedBytes / 2, what);
    }
  }));
