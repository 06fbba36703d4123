/** The values of the file, by key. */
import { NAMESPACES } from "../cache/namespaces.ts";
import type { Problem } from "../config_error.ts";
import { KEY_BY_PATH, namesBelow } from "../schema.ts";
import { notAMapping, unknownName } from "./unknown_name.ts";

/** What a file holds, not parsed yet. */
export interface FileValues {
  /** By path. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The section of namespaces; undefined when there is none. */
  readonly namespaces: unknown;
  readonly problems: readonly Problem[];
}

/** Collects the values of known keys from a parsed file; everything else in it is a problem. */
export function readTree(tree: unknown, file: string): FileValues {
  const values = new Map<string, unknown>();
  let namespaces: unknown;
  const problems: Problem[] = [];
  if (tree !== undefined) readSection("", tree);
  return { values, namespaces, problems };

  function readSection(section: string, value: unknown): void {
    const names = namesBelow(section);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      problems.push({ path: section || file, ...notAMapping(value, `the keys ${names.join(", ")}`) });
      return;
    }
    for (const [name, child] of Object.entries(value)) {
      const path = section === "" ? name : `${section}.${name}`;
      if (KEY_BY_PATH.has(path)) values.set(path, child);
      else if (path === NAMESPACES) namespaces = child;
      else if (names.includes(name)) readSection(path, child);
      else problems.push(unknownName(section || file, name, path, names));
    }
  }
}
