/** The configuration's reference, row by row, for the README. */
import { KEYS, NAMESPACES, PATHS, textOf } from "./schema.ts";

/** One key as the README lists it. */
export interface ReferenceRow {
  readonly path: string;
  /** As it would be written; empty for an empty text, undefined where there is none. */
  readonly default: string | undefined;
  readonly meaning: string;
}

/** Stands for the options of one namespace. */
const NAMESPACE_ROW: ReferenceRow = {
  path: `${NAMESPACES}.NAME.OPTION`,
  default: undefined,
  meaning: "An option of cache.defaults for the namespace of this name alone. Only in the file.",
};

/** Every key in the order of the schema, and a row for namespaces behind what they have by default. */
export function configurationReference(): readonly ReferenceRow[] {
  const rows: ReferenceRow[] = PATHS.map((path) => {
    const { default: byDefault, meaning } = KEYS[path];
    return {
      path,
      default: byDefault === undefined ? undefined : textOf(path, byDefault),
      meaning,
    };
  });
  const behind = rows.findLastIndex(({ path }) => path.startsWith("cache.defaults."));
  return rows.toSpliced(behind + 1, 0, NAMESPACE_ROW);
}
