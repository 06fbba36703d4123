/** The service without queues of changes: all changes of a secret run at once, each with its own intent and connection. */
import { ChangeQueue } from "../../../src/cache/change_queue.ts";
import { main } from "../../../src/cli/main.ts";
import { shortenTombstones } from "../short_tombstones.ts";

if (import.meta.main) {
  shortenTombstones();
  ChangeQueue.prototype.run = (_key, _caller, { make }) => make();
  Deno.exit(await main(Deno.args));
}
