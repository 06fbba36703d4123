import { assert, assertEquals } from "@std/assert";

const PASSING = decodeURIComponent(
  new URL("../support/service/passing_entries.ts", import.meta.url).pathname,
);

/** Of the 32 MB that pass by. */
const MAX_HELD_BYTES = 4_000_000;

Deno.test("TransientMap and OpenStreams hold on to nothing that has gone, even when they are old; a Map would", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--v8-flags=--expose-gc", "--allow-read", PASSING],
    stdin: "null",
    stderr: "inherit",
  }).output();
  assert(success, "the process that lets entries pass has failed, see above");
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
