import { loadNamedConfig } from "./configuration.ts";
import { print } from "./print.ts";

/** Prints the configuration in force, or everything that is wrong with it. Secrets are masked. */
export function check(args: readonly string[]): void {
  print(loadNamedConfig(args).describe());
}
