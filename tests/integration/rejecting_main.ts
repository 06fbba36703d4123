/** The service with a mistake in it: at SIGUSR1 a promise is rejected that nobody waits for. */
import { main } from "../../src/cli/main.ts";

Deno.addSignalListener("SIGUSR1", () => void Promise.reject(new Error("nobody waits for this")));

if (import.meta.main) Deno.exit(await main(Deno.args));
