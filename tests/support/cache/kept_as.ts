import type { KeptValues } from "../../../src/store/memory/kept_values.ts";

/** Values that take as many bytes each, whatever they are, and are kept themselves. */
export function keptAs<V>(bytes: number): KeptValues<V> {
  return { bytesOf: () => bytes, owned: (value) => value };
}
