/** The rows of the table of keys in configs/README.md. */
import { NAMESPACES } from "./cache/namespaces.ts";
import { formatted, keysOf } from "./key.ts";
import { KEYS } from "./schema.ts";

/** One key as the table shows it. */
export interface ReferenceRow {
  readonly path: string;
  /** As an operator would write it; empty for an empty text, undefined where there is none. */
  readonly default: string | undefined;
  /** What the key does and which values it accepts. */
  readonly meaning: string;
}

/** The options of one namespace. */
const NAMESPACE_ROW: ReferenceRow = {
  path: `${NAMESPACES}.NAME.OPTION`,
  default: undefined,
  meaning: "An option of cache.defaults, for the namespace NAME alone. Only in the file.",
};

/** Every key in the order of the schema, and a row for namespaces after cache.defaults. */
export function configurationReference(): readonly ReferenceRow[] {
  const rows: ReferenceRow[] = keysOf(KEYS).map((key) => ({
    path: key.path,
    default: key.default === undefined ? undefined : formatted(key, key.default),
    meaning: `${key.meaning} Accepted: ${key.type.accepted}.`,
  }));
  const lastDefault = rows.findLastIndex(({ path }) => path.startsWith("cache.defaults."));
  return rows.toSpliced(lastDefault + 1, 0, NAMESPACE_ROW);
}
