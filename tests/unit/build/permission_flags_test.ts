import { assertEquals } from "@std/assert";
import { permissionFlags } from "../../../src/build/permission_flags.ts";

Deno.test("permissionFlags() allows all, some and none of a kind of access", () => {
  assertEquals(permissionFlags({ net: true, run: false, read: ["./a", "/b"], sys: [] }), [
    "--allow-net",
    "--allow-read=./a,/b",
  ]);
});

Deno.test("permissionFlags() denies and ignores kinds of access", () => {
  assertEquals(
    permissionFlags({ env: { allow: ["*"], deny: ["HOME"], ignore: true }, ffi: { allow: false } }),
    ["--allow-env=*", "--deny-env=HOME", "--ignore-env"],
  );
});
