/**
 * The service with the fences of local memory switched off: what a read has found goes into memory whatever has
 * happened to the key meanwhile. For the test that the checker finds this out.
 */
import { Fence } from "../../src/cache/fences.ts";
import { main } from "../../src/cli/main.ts";

Object.defineProperty(Fence.prototype, "holds", { get: () => true });

if (import.meta.main) Deno.exit(await main(Deno.args));
