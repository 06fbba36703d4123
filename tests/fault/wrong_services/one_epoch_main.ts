/** The service without epochs: it trusts every Redis that it reaches. */
import { main } from "../../../src/cli/main.ts";
import { ANY_EPOCH } from "../../../src/core/ports.ts";
import { RedisClient } from "../../../src/store/redis/client.ts";
import { shortenTombstones } from "../short_tombstones.ts";

if (import.meta.main) {
  shortenTombstones();
  Object.defineProperty(RedisClient.prototype, "epoch", { get: () => ANY_EPOCH });
  Deno.exit(await main(Deno.args));
}
