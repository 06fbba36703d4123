import { assertEquals, assertThrows } from "@std/assert";
import { MethodTable } from "../../../../src/transport/native/method_table.ts";

function definition(...names: readonly string[]) {
  const method = (name: string) => ({
    path: `/a.B/${name}`,
    requestStream: false,
    responseStream: false,
    requestDeserialize: (bytes: Uint8Array) => bytes,
    responseSerialize: (value: Uint8Array) => value,
  });
  return Object.fromEntries(names.map((name) => [name, method(name)]));
}

Deno.test("MethodTable.find() finds handlers named as in the proto or in lower case, bound to their object", () => {
  const table = new MethodTable();
  const seen: unknown[] = [];
  const implementation = {
    Get(): void {
      seen.push(this);
    },
    set(): void {
      seen.push(this);
    },
  };
  table.add(definition("Get", "Set", "Del"), implementation);
  table.find("/a.B/Get")!.handler!();
  table.find("/a.B/Set")!.handler!();
  assertEquals(seen, [implementation, implementation]);
  assertEquals(table.find("/a.B/Del")!.handler, undefined);
  assertEquals(table.find("/a.B/get"), undefined);
});

Deno.test("MethodTable.add() refuses a path twice", () => {
  const table = new MethodTable();
  table.add(definition("Get"), {});
  assertThrows(() => table.add(definition("Get"), {}), Error, "/a.B/Get");
});

Deno.test("MethodTable.explainMissing() distinguishes a missing service from a missing method", () => {
  const table = new MethodTable();
  table.add(definition("Get"), {});
  assertEquals(table.explainMissing("/a.B/Nope"), "unknown method Nope for service a.B");
  assertEquals(table.explainMissing("/a.C/Get"), "unknown service a.C");
});
