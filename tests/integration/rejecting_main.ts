/** The service with a mistake in it: at SIGUSR1 a promise without a handler is rejected. */
import { main } from "../../src/cli/main.ts";

Deno.addSignalListener("SIGUSR1", () => void Promise.reject(new Error("no handler")));

if (import.meta.main) Deno.exit(await main(Deno.args));
