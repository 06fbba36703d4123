import { assert, assertEquals } from "@std/assert";
import { type Environment, lookUp, processEnvironment } from "../../../../src/config/sources/environment.ts";
import { environmentOf } from "../loading.ts";
import { withValueFile } from "./value_files.ts";

Deno.test({
  name: "processEnvironment reads and lists variables if it may",
  permissions: { env: true },
  fn: () => {
    const names = [...processEnvironment.names?.() ?? []];
    assert(names.includes("PATH"));
    assertEquals(lookUp(processEnvironment, "PATH"), { value: Deno.env.get("PATH"), fromFile: false });
    assertEquals(lookUp(processEnvironment, "CACHESERVER_NEVER_SET"), { value: undefined, fromFile: false });
  },
});

Deno.test({
  name: "processEnvironment lists nothing, and lookUp() returns forbidden, without permission",
  permissions: { env: false },
  fn: () => {
    assertEquals(processEnvironment.names?.(), undefined);
    assertEquals(lookUp(processEnvironment, "PATH"), "forbidden");
  },
});

Deno.test("lookUp() reads the file that NAME_FILE names if NAME is not set", async () => {
  await withValueFile("hunter2\n", (path) => {
    const variables = environmentOf({ PASSWORD_FILE: path });
    assertEquals(lookUp(variables, "PASSWORD"), { value: "hunter2", fromFile: true });
    assertEquals(lookUp(variables, "PASSWORD_FILE"), { value: path, fromFile: false });
  });
});

Deno.test("lookUp() refuses NAME and NAME_FILE together, also if NAME is empty", async () => {
  await withValueFile("hunter2", (path) => {
    const fileError = { wrong: "is set beside the variable without _FILE", accepted: "one of the two" };
    assertEquals(lookUp(environmentOf({ P: "x", P_FILE: path }), "P"), { fileError });
    assertEquals(lookUp(environmentOf({ P: "", P_FILE: path }), "P"), { fileError });
  });
});

Deno.test("lookUp() treats NAME_FILE as not set if it may not be read", () => {
  const environment: Environment = {
    get(name) {
      if (name === "LEVEL") return "info";
      throw new Deno.errors.NotCapable(`Requires env access to "${name}"`);
    },
  };
  assertEquals(lookUp(environment, "LEVEL"), { value: "info", fromFile: false });
  assertEquals(lookUp(environment, "OTHER"), "forbidden");
});
