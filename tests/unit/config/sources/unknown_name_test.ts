import { assertEquals } from "@std/assert";
import { nearest } from "../../../../src/config/sources/unknown_name.ts";

const NAMES = ["addr", "username", "password", "read_timeout", "write_timeout"];

Deno.test("nearest() finds the name that is misspelled or spelled in another style", () => {
  assertEquals(nearest("adr", NAMES), "addr");
  assertEquals(nearest("pasword", NAMES), "password");
  assertEquals(nearest("readTimeout", NAMES), "read_timeout");
  assertEquals(nearest("write-timeout", NAMES), "write_timeout");
});

Deno.test("nearest() finds nothing when no name is near", () => {
  assertEquals(nearest("colour", NAMES), undefined);
  assertEquals(nearest("db", NAMES), undefined);
  assertEquals(nearest("", NAMES), undefined);
});
