/** What the configuration knows of one of its keys. */
import type { Kind } from "./kind.ts";

/** One key. `T` includes undefined where there is no default. */
export interface Key<T> {
  readonly kind: Kind<NonNullable<T>>;
  readonly default: T;
  /** One line for the reader of the README. */
  readonly meaning: string;
  /** Whether the value holds a secret and is masked wherever it is shown. */
  readonly secret: boolean;
}

/** A key with a default. */
export function key<T>(
  kind: Kind<NonNullable<T>>,
  byDefault: NonNullable<T>,
  meaning: string,
): Key<NonNullable<T>> {
  return { kind, default: byDefault, meaning, secret: false };
}

/** A key that somebody has to set, or that may be absent. */
export function keyWithoutDefault<T>(kind: Kind<NonNullable<T>>, meaning: string): Key<T | undefined> {
  return { kind, default: undefined, meaning, secret: false };
}

/** The key, its value masked wherever it is shown. */
export function secret<T>(key: Key<T>): Key<T> {
  return { ...key, secret: true };
}

/** A value of the key as it would be written. */
export function formatted(key: Key<unknown>, value: unknown): string {
  return (key.kind as Kind<unknown>).format(value);
}
