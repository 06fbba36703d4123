/** The folder of deno.json. */
const ROOT = new URL("../../", import.meta.url);

/** The path below the project's root, `src/core/key.ts`; undefined for a file outside the project. */
export function projectPath(filename: string): string | undefined {
  return below(new URL(`file://${filename}`));
}

/** The target of a relative import, as a path below the project's root; undefined for one outside. */
export function importedPath(filename: string, specifier: string): string | undefined {
  return below(new URL(specifier, `file://${filename}`));
}

/** Whether the specifier names a file, not a package. */
export function isRelative(specifier: string): boolean {
  return specifier.startsWith("./") || specifier.startsWith("../");
}

function below(url: URL): string | undefined {
  return url.href.startsWith(ROOT.href) ? decodeURIComponent(url.href.slice(ROOT.href.length)) : undefined;
}
