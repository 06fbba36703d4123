import plugin from "../../lint/plugin.ts";

/** What the project's lint rules say about `source` if it stood at `path` below the project's root. */
export function findings(path: string, source: string): string[] {
  const { pathname } = new URL(`../../../${path}`, import.meta.url);
  return Deno.lint.runPlugin(plugin, pathname, source).map(({ id, message }) => `${id}: ${message}`);
}
