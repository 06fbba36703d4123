/** A metadata value: text, or bytes for a key that ends in `-bin`. */
export type MetadataValue = string | Uint8Array;

/**
 * gRPC metadata: header and trailer fields of a call, with several values a key. It has those methods of grpc-js's
 * class that services use. Source: grpc/doc/PROTOCOL-HTTP2.md, Custom-Metadata.
 */
export class Metadata {
  readonly #values = new Map<string, MetadataValue[]>();

  /** Replaces the values of `key` with `value`. */
  set(key: string, value: MetadataValue): void {
    this.#values.set(checked(key, value), [value]);
  }

  /** Appends a value to those of `key`. */
  add(key: string, value: MetadataValue): void {
    const name = checked(key, value);
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }

  /** The values of `key` in the order of arrival; empty when there are none. */
  get(key: string): readonly MetadataValue[] {
    return this.#values.get(key.toLowerCase()) ?? [];
  }

  remove(key: string): void {
    this.#values.delete(key.toLowerCase());
  }

  /** Every key in lower case, with its values. */
  entries(): IterableIterator<[string, readonly MetadataValue[]]> {
    return this.#values.entries();
  }
}

/** Characters of a key. Source: PROTOCOL-HTTP2.md, Header-Name. */
export const LEGAL_KEY = /^[0-9a-z_.-]+$/;
/** Printable ASCII and space. Source: PROTOCOL-HTTP2.md, ASCII-Value. */
export const LEGAL_TEXT = /^[\x20-\x7e]*$/;

function checked(key: string, value: MetadataValue): string {
  const name = key.toLowerCase();
  if (!LEGAL_KEY.test(name)) {
    throw new TypeError(
      `Cannot use metadata key ${JSON.stringify(key)}: expected characters of 0-9 a-z _ . -`,
    );
  }
  if (name.endsWith("-bin")) {
    if (typeof value === "string") throw new TypeError(`Cannot set metadata ${name}: a -bin key takes bytes`);
  } else if (typeof value !== "string" || !LEGAL_TEXT.test(value)) {
    throw new TypeError(`Cannot set metadata ${name}: expected printable ASCII text`);
  }
  return name;
}
