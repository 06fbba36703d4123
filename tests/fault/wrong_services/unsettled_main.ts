/** The service that takes a change without an answer for one that has come to its end. */
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
