import { systemClock } from "../core/clock.ts";
import { loadNamedConfig } from "./configuration.ts";
import { printLine } from "./print.ts";

/** Signals this close together are one: a terminal and the task runner in between both pass Ctrl-C on. */
const ONE_SIGNAL_MS = 1000;

/** Serves until SIGTERM or SIGINT, then drains. Another signal while it drains ends the process at once. */
export async function serve(args: readonly string[]): Promise<void> {
  const { config } = loadNamedConfig(args);
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  let firstAtMs: number | undefined;
  const onSignal = () => {
    const nowMs = systemClock.now();
    if (firstAtMs !== undefined && nowMs - firstAtMs > ONE_SIGNAL_MS) Deno.exit(1);
    firstAtMs ??= nowMs;
    resolve();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, onSignal);
  const { startApp } = await import("../app.ts");
  const app = await startApp(config, printLine);
  // The configuration has been read, and drivers look at their variables when they are loaded. The rest may be
  // passwords, which nobody here needs.
  Deno.permissions.revokeSync({ name: "env" });
  await asked;
  await app.stop();
}
