/** The folder that holds deno.json. */
const ROOT = new URL("../../", import.meta.url);

/** The path below the project's root, `src/core/key.ts`; undefined for a file outside the project. */
export function projectPath(filename: string): string | undefined {
  return below(new URL(`file://${filename}`));
}

/** The path below the project's root to which a relative import leads; undefined for one that leads outside. */
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
