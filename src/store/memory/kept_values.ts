import type { Secret } from "../../core/secret.ts";
import { textBytes } from "./text_bytes.ts";

/** How local memory keeps the values of one kind of entries. */
export interface KeptValues<V> {
  /** What a value takes in memory, in bytes. */
  bytesOf(value: V): number;
  /** The value, or a copy of it, that holds on to nothing but itself. */
  owned(value: V): V;
}

/** The typed array, its buffer's object, and what the allocator adds; by what the resident memory grows. */
const BUFFER_OVERHEAD_BYTES = 400;

/** Bytes, in a typed array of their own. What Redis has sent are views into all that came with them. */
export const KEPT_BYTES: KeptValues<Uint8Array> = {
  bytesOf: (value) => value.length + BUFFER_OVERHEAD_BYTES,
  owned: (value) => value.length === value.buffer.byteLength ? value : value.slice(),
};

/** The object with its numbers, and the headers of its texts. */
const SECRET_OVERHEAD_BYTES = 280;

/** Secrets, which are never changed. */
export const KEPT_SECRETS: KeptValues<Secret> = {
  bytesOf: ({ userId, name, secretId, secretKey, description }) =>
    SECRET_OVERHEAD_BYTES + textBytes(userId) + textBytes(name) + textBytes(secretId) +
    textBytes(secretKey) + textBytes(description),
  owned: (secret) => secret,
};
