import type { Secret } from "../../core/secret.ts";

/** How local memory measures and stores values of one type. */
export interface KeptValues<V> {
  /** The memory that a value takes, in bytes. */
  bytesOf(value: V): number;
  /** The value, or a copy that keeps no other memory alive. */
  owned(value: V): V;
}

/** The typed array, its buffer object and the allocator's overhead, as measured in resident memory. */
const BUFFER_OVERHEAD_BYTES = 400;

/** Bytes, each value in its own buffer: a value from Redis is a view into a larger one. */
export const KEPT_BYTES: KeptValues<Uint8Array> = {
  bytesOf: (value) => value.length + BUFFER_OVERHEAD_BYTES,
  owned: (value) => value.length === value.buffer.byteLength ? value : value.slice(),
};

/** The object, its numbers and the headers of its strings. */
const SECRET_OVERHEAD_BYTES = 280;

/** Secrets, which are immutable and need no copy. */
export const KEPT_SECRETS: KeptValues<Secret> = {
  bytesOf: ({ userId, name, secretId, secretKey, description }) =>
    SECRET_OVERHEAD_BYTES + textBytes(userId) + textBytes(name) + textBytes(secretId) +
    textBytes(secretKey) + textBytes(description),
  owned: (secret) => secret,
};

const WIDE_CHARACTER = /[\u0100-\uffff]/;

/** The memory that a string's characters take: one byte each if all are Latin-1, else two. */
export function textBytes(text: string): number {
  return WIDE_CHARACTER.test(text) ? text.length * 2 : text.length;
}
