/** The service that does not wait for unsettled commits: a change without an answer counts as ended. */
import { SharedTier } from "../../../src/cache/shared_tier.ts";
import { main } from "../../../src/cli/main.ts";
import { shortenTombstones } from "../short_tombstones.ts";

if (import.meta.main) {
  shortenTombstones();
  SharedTier.prototype.markDirtyUntil = function (_settled, key) {
    this.markDirty(key);
  };
  Deno.exit(await main(Deno.args));
}
