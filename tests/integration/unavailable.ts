import { assert, assertEquals } from "@std/assert";
import { refusal } from "../support/client/client.ts";

/** Expects a call to end with UNAVAILABLE for a tier, and to say when to try again. */
export async function expectUnavailable(call: Promise<unknown>, tier: "redis" | "database"): Promise<void> {
  const error = await refusal(call);
  assertEquals(error.code, "UNAVAILABLE");
  assertEquals(error.info, { reason: "STORE_UNAVAILABLE", domain: "cacheserver.v1", metadata: { tier } });
  assert(error.retryAfterMs !== undefined && error.retryAfterMs > 0, "says when to try again");
}
