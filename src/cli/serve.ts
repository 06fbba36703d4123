import { startApp } from "../app.ts";
import { loadNamedConfig } from "./configuration.ts";
import { printLine } from "./print.ts";

/** Serves until SIGTERM or SIGINT, then drains. A second signal ends the process at once. */
export async function serve(args: readonly string[]): Promise<void> {
  const { config } = loadNamedConfig(args);
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  let signals = 0;
  const onSignal = () => {
    if (++signals > 1) Deno.exit(1);
    resolve();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, onSignal);
  const app = await startApp(config, printLine);
  await asked;
  await app.stop();
}
