import { assert } from "@std/assert";
import { Admission } from "../../../src/core/admission.ts";

Deno.test("Admission.enter() counts connections overall and by address", () => {
  const admission = new Admission({ maxConnections: 3, maxConnectionsPerAddress: 2 });
  assert(admission.enter("a"));
  assert(admission.enter("a"));
  assert(!admission.enter("a"));
  assert(admission.enter("b"));
  assert(!admission.enter("c"));
  admission.leave("a");
  assert(admission.enter("c"));
  assert(!admission.enter("a"));
});
