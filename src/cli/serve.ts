import type { Config } from "../config/config.ts";
import { thisBuild } from "./build.ts";
import { loadNamedConfig } from "./configuration.ts";
import { printLogLine } from "./print.ts";
import { stopSignal } from "./stop_signals.ts";

/** Serves until SIGTERM, SIGINT or SIGHUP, then drains. Another signal while it drains ends the process at once. */
export async function serve(args: readonly string[]): Promise<void> {
  const { config, name } = loadNamedConfig(args);
  const asked = stopSignal();
  const { startApp } = await import("../app/app.ts");
  const app = await startApp(config, { ...thisBuild(), configuration: name }, printLogLine);
  giveUpPermissions(config);
  await app.stop(await asked);
}

/** Gives up what only the start needs, so that a process that serves clients cannot do it. */
function giveUpPermissions({ data: { database } }: Config): void {
  // The configuration has been read, and drivers look at their variables when they are loaded. The rest may be
  // passwords.
  Deno.permissions.revokeSync({ name: "env" });
  // SQLite has opened its files. Deno asks for write access at each connection to a Unix socket, and of a grant for all
  // files no part can be taken back: it is all or nothing.
  const opensSocketFiles = database.driver === "mysql" && database.address.kind === "unix";
  if (!opensSocketFiles) Deno.permissions.revokeSync({ name: "write" });
}
