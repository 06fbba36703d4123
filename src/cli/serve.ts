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

/** Revokes permissions that only the start needs, so that clients cannot make the process use them. */
function giveUpPermissions({ data: { database } }: Config): void {
  // The configuration and the drivers have read their variables. The others may hold passwords.
  Deno.permissions.revokeSync({ name: "env" });
  // SQLite has opened its files. A connection to a Unix socket needs write access each time, and a grant for all files
  // can only be revoked as a whole.
  const opensSocketFiles = database.driver === "mysql" && database.address.kind === "unix";
  if (!opensSocketFiles) Deno.permissions.revokeSync({ name: "write" });
}
