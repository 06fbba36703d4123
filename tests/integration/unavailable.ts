import { assert, assertEquals } from "@std/assert";
import { refusal } from "../support/client/client.ts";

/** Expects a call to fail with UNAVAILABLE for this tier, with a time to retry. */
export async function expectUnavailable(call: Promise<unknown>, tier: "redis" | "database"): Promise<void> {
  const error = await refusal(call);
  assertEquals(error.code, "UNAVAILABLE");
  assertEquals(error.info, { reason: "STORE_UNAVAILABLE", domain: "cacheserver.v1", metadata: { tier } });
  assert(error.retryAfterMs !== undefined && error.retryAfterMs > 0, "the error has a time to retry");
}
