/** One key of the configuration. Everything about it is declared once, with {@link key}, in its section's file. */
import type { ValueType } from "./value_type.ts";

/** A declared key. `T` is the type of its value in Config, and includes undefined where there is no default. */
export interface Key<T = unknown> {
  /** Its place in the file, such as `data.redis.addr`. */
  readonly path: string;
  readonly type: ValueType<NonNullable<T>>;
  readonly default: T;
  /** One line of the table in configs/README.md. */
  readonly meaning: string;
  /** Whether the value is masked wherever it is shown. */
  readonly secret?: true;
}

/** A key that is checked and then dropped: Config does not have it. */
export interface UnusedKey<T = unknown> extends Key<T> {
  readonly unused: true;
}

/** A key with a default. */
export function key<T>(
  path: string,
  type: ValueType<NonNullable<T>>,
  byDefault: NonNullable<T>,
  meaning: string,
): Key<NonNullable<T>> {
  return { path, type, default: byDefault, meaning };
}

/** A key without a default: its value is undefined unless it is set. */
export function optionalKey<T>(
  path: string,
  type: ValueType<NonNullable<T>>,
  meaning: string,
): Key<T | undefined> {
  return { path, type, default: undefined, meaning };
}

/** A key of Kratos that has no effect here, so that a Kratos configuration loads unchanged. */
export function kratosKey<T>(
  path: string,
  type: ValueType<NonNullable<T>>,
  byDefault: NonNullable<T>,
  meaning: string,
): UnusedKey<NonNullable<T>> {
  return { ...key<T>(path, type, byDefault, meaning), unused: true };
}

/** The key, with its value masked wherever it is shown. */
export function secret<T>(key: Key<T>): Key<T> {
  return { ...key, secret: true };
}

/** A value of the key as an operator would write it. */
export function formatted(key: Key, value: unknown): string {
  return (key.type as ValueType<unknown>).format(value);
}

/** The keys of a section and of the sections in it, in the order of their declarations. */
export function keysOf(section: object): readonly Key[] {
  return Object.values(section).flatMap((node) => isKey(node) ? [node] : keysOf(node));
}

/** Whether a node of a tree of keys is a key, not a section. */
export function isKey(node: object): node is Key {
  return "path" in node && typeof node.path === "string";
}
