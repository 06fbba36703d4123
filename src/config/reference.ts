/** The configuration's reference, row by row, for the README. */
import { KEYS, type Path, PATHS, textOf, variableOf } from "./schema.ts";

/** One key as the README lists it. */
export interface ReferenceRow {
  readonly path: Path;
  /** The environment variable that overrides it. */
  readonly variable: string;
  /** As it would be written; empty for an empty text, undefined where there is none. */
  readonly default: string | undefined;
  readonly meaning: string;
}

/** Every key in the order of the schema. */
export function configurationReference(): readonly ReferenceRow[] {
  return PATHS.map((path) => {
    const { default: byDefault, meaning } = KEYS[path];
    return {
      path,
      variable: variableOf(path),
      default: byDefault === undefined ? undefined : textOf(path, byDefault),
      meaning,
    };
  });
}
