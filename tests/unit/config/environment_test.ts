import { assert, assertEquals } from "@std/assert";
import { lookUp, processEnvironment } from "../../../src/config/environment.ts";

Deno.test({
  name: "processEnvironment reads and lists variables where it may",
  permissions: { env: true },
  fn: () => {
    const names = [...processEnvironment.names?.() ?? []];
    assert(names.includes("PATH"));
    assertEquals(lookUp(processEnvironment, "PATH"), { value: Deno.env.get("PATH") });
    assertEquals(lookUp(processEnvironment, "CACHESERVER_NEVER_SET"), { value: undefined });
  },
});

Deno.test({
  name: "processEnvironment lists nothing, and lookUp() says forbidden, where it may not",
  permissions: { env: false },
  fn: () => {
    assertEquals(processEnvironment.names?.(), undefined);
    assertEquals(lookUp(processEnvironment, "PATH"), "forbidden");
  },
});
