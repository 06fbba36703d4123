/** The service that makes all changes of a secret at once, each with an intent and a connection of its own. */
import { ChangeQueue } from "../../../src/cache/change_queue.ts";
import { main } from "../../../src/cli/main.ts";
import { shortenTombstones } from "../short_tombstones.ts";

if (import.meta.main) {
  shortenTombstones();
  ChangeQueue.prototype.run = (_key, _caller, { make }) => make();
  Deno.exit(await main(Deno.args));
}
