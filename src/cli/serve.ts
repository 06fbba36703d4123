import { loadNamedConfig } from "./configuration.ts";
import { printLine } from "./print.ts";
import { stopSignal } from "./stop_signals.ts";

/** Serves until SIGTERM, SIGINT or SIGHUP, then drains. Another signal while it drains ends the process at once. */
export async function serve(args: readonly string[]): Promise<void> {
  const { config } = loadNamedConfig(args);
  const asked = stopSignal();
  const { startApp } = await import("../app.ts");
  const app = await startApp(config, printLine);
  // The configuration has been read, and drivers look at their variables when they are loaded. The rest may be
  // passwords, which nobody here needs.
  Deno.permissions.revokeSync({ name: "env" });
  await app.stop(await asked);
}
