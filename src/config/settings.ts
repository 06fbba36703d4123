/** The value of every key, and where each came from. */
import type { Problem } from "./config_error.ts";
import { KEYS, type NAMESPACES, type Path, PATHS, type ValueOf } from "./schema.ts";

/** `default`, `file`, `flag`, the variable's name, or the key that a value follows from. */
export type Origin =
  | "default"
  | "file"
  | "flag"
  | `CACHESERVER_${string}`
  | Path
  | `${typeof NAMESPACES}${string}`;

/** The value of one key. */
export interface Setting<T> {
  readonly value: T;
  readonly origin: Origin;
}

/** The value of every key. */
export type Settings = { readonly [P in Path]: Setting<ValueOf<P>> };

/** All keys at their defaults, overlaid by `read`, whose values are of their keys' types. */
export function settingsOf(read: ReadonlyMap<Path, Setting<unknown>>): Settings {
  const settings = PATHS.map((
    path,
  ) => [path, read.get(path) ?? { value: KEYS[path].default, origin: "default" }]);
  return Object.fromEntries(settings) as Settings;
}

/** Whether anybody has set a key of this section. */
export function isConfigured(settings: Settings, section: string): boolean {
  return PATHS.some((path) => path.startsWith(section + ".") && settings[path].origin !== "default");
}

/** Says that nobody has set this key; nothing where somebody has, also to what could not be read. */
export function missing(settings: Settings, path: Path, accepted: string): Problem[] {
  const { value, origin } = settings[path];
  return value === undefined && origin === "default" ? [{ path, wrong: "is missing", accepted }] : [];
}
