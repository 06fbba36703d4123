/** What Set says about a namespaced entry. */
export interface EntryChange {
  /** The encoded `google.protobuf.Any`. The store may keep it, so the caller must not write to it again. */
  readonly value: Uint8Array;
  /** Ms since the Unix epoch; Infinity when the entry never expires. */
  readonly expiresAtMs: number;
}
