import { loadNamedConfig } from "./configuration.ts";
import { print } from "./print.ts";

/** Prints the effective configuration, with secrets masked, or everything that is wrong with it. */
export function check(args: readonly string[]): void {
  print(loadNamedConfig(args).describe());
}
