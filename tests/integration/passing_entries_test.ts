import { assert, assertEquals } from "@std/assert";

const PASSING = decodeURIComponent(
  new URL("../support/service/passing_entries.ts", import.meta.url).pathname,
);

/** The most bytes that may stay, of 32 MB of entries that come and go. */
const MAX_HELD_BYTES = 4_000_000;

Deno.test("TransientMap and OpenStreams release removed entries even when they are old; a Map does not", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--v8-flags=--expose-gc", "--allow-read", PASSING],
    stdin: "null",
    stderr: "inherit",
  }).output();
  assert(success, "the process that adds and removes entries has failed, see above");
  const { Map: plain, ...ours } = JSON.parse(new TextDecoder().decode(stdout)) as Record<string, number>;
  assert(
    plain! > 3 * MAX_HELD_BYTES,
    `a Map held on to ${plain} bytes: the others prove nothing by holding less`,
  );
  assertEquals(Object.keys(ours), ["TransientMap", "OpenStreams"]);
  for (const [name, bytes] of Object.entries(ours)) {
    assert(bytes < MAX_HELD_BYTES, `${name} holds on to ${bytes} bytes`);
  }
});
