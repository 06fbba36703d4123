import { assertEquals } from "@std/assert";
import { findings } from "./findings.ts";

function keyNamed(field: string, declaration: string): string {
  return `import { key, kratosKey, optionalKey, secret } from "./key.ts";
    export const KEYS = { section: { ${field}: ${declaration.replace("()", `("server.${field}")`)} } };`;
}

Deno.test("configKeysRule refuses a key whose field no file of src/ reads, in whichever way it is declared", () => {
  for (const declaration of ["key()", "optionalKey()", "secret(optionalKey())"]) {
    assertEquals(findings("src/config/server.ts", keyNamed("reusePort9000", declaration)), [
      "cacheserver/config-keys: No file of src/ reads reusePort9000, the field of this key in Config",
    ]);
  }
});

Deno.test("configKeysRule accepts a field that is read elsewhere or beside it, keys of Kratos, and other files", () => {
  assertEquals(findings("src/config/server.ts", keyNamed("maxConnectionsPerAddress", "key()")), []);
  assertEquals(findings("src/config/server.ts", keyNamed("reusePort9000", "kratosKey()")), []);
  const readHere = `${keyNamed("reusePort9000", "key()")} export const port = KEYS.section.reusePort9000;`;
  assertEquals(findings("src/config/server.ts", readHere), []);
  assertEquals(findings("src/cache/chain.ts", keyNamed("reusePort9000", "key()")), []);
});
