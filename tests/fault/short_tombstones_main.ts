/** The service with tombstones that a fault can outlast within a run. */
import { main } from "../../src/cli/main.ts";
import { shortenTombstones } from "./short_tombstones.ts";

if (import.meta.main) {
  shortenTombstones();
  Deno.exit(await main(Deno.args));
}
