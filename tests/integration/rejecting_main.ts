/** The service with a mistake in it: SIGUSR1 causes an unhandled rejection. */
import { main } from "../../src/cli/main.ts";

Deno.addSignalListener("SIGUSR1", () => void Promise.reject(new Error("unhandled in a test")));

if (import.meta.main) Deno.exit(await main(Deno.args));
