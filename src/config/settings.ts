/** The value of every key, and where each came from. A section's settings have the shape of its declaration. */
import type { Problem } from "./config_error.ts";
import { isKey, type Key, type UnusedKey } from "./key.ts";

/** The value of one key. */
export interface Setting<T = unknown> {
  readonly key: Key<T>;
  readonly value: T;
  /** `default`, `file`, `flag`, the variable's name, or the key that the value follows from. */
  readonly origin: string;
  /** The value as it may be shown, where the key's own format would show too much. */
  readonly shown?: string;
}

/** The settings of the keys `K`. */
export type SettingsOf<K> = {
  readonly [F in keyof K]: K[F] extends Key ? Setting<K[F]["default"]> : SettingsOf<K[F]>;
};

/** What Config has of the keys `K`: their values, without those that are not used. */
export type ValuesOf<K> = {
  readonly [F in keyof K as K[F] extends UnusedKey ? never : F]: K[F] extends Key ? K[F]["default"]
    : ValuesOf<K[F]>;
};

/** The settings of all keys of a section, each read by `read`, in the order of their declarations. */
export function settingsOf<K extends object>(keys: K, read: (key: Key) => Setting): SettingsOf<K> {
  const entries = Object.entries(keys).map((
    [field, node],
  ) => [field, isKey(node) ? read(node) : settingsOf(node, read)]);
  return Object.fromEntries(entries);
}

/** The values of a section's settings; its keys `K` have to be given. */
export function valuesOf<K>(settings: SettingsOf<K>): ValuesOf<K> {
  const entries = Object.entries<object>(settings)
    .filter(([, node]) => !(isSetting(node) && "unused" in node.key))
    .map(([field, node]) => [field, isSetting(node) ? node.value : valuesOf(node)]);
  return Object.fromEntries(entries);
}

/** All settings of a section, in the order of the declarations. */
export function listed(section: object): readonly Setting[] {
  return Object.values(section).flatMap((node) => isSetting(node) ? [node] : listed(node));
}

/** Whether any key of a section is set. */
export function isConfigured(section: object): boolean {
  return listed(section).some(({ origin }) => origin !== "default");
}

/** A problem where the key is not set; none where it is set to something that could not be read. */
export function missing({ key: { path }, value, origin }: Setting, accepted: string): Problem[] {
  return value === undefined && origin === "default" ? [{ path, wrong: "is missing", accepted }] : [];
}

/** The origin as a problem shows it: a problem without one is about the file. */
export function whereFrom({ origin }: Setting): { readonly origin?: string } {
  return origin === "file" ? {} : { origin };
}

function isSetting(node: object): node is Setting {
  return "origin" in node && typeof node.origin === "string";
}
