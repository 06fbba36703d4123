import { assertEquals } from "@std/assert";
import { isKnownGoodDeno } from "../../../../src/transport/grpc_js/deno_versions.ts";

Deno.test("isKnownGoodDeno() accepts only versions from 2.7.0 to 2.9.3", () => {
  const versions = ["1.46.3", "2.6.10", "2.7.0", "2.8.11", "2.9.3", "2.9.4", "2.9.6", "2.10.0", "3.0.0-rc.1"];
  assertEquals(versions.filter(isKnownGoodDeno), ["2.7.0", "2.8.11", "2.9.3"]);
});
