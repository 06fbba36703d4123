import type { HeaderField } from "./header_field.ts";
import { staticFieldIndex } from "./static_table.ts";

/** A field that is sent again and again: the encoder indexes it, and knows it by its identity. */
export class ConstantField implements HeaderField {
  /** Where the static table holds it whole; 0 when it does not. */
  readonly staticIndex: number;
  /** Its coded form for peers that have no room for it; the encoder fills it in when first needed. */
  literal: Uint8Array | undefined;

  constructor(readonly name: string, readonly value: string) {
    this.staticIndex = staticFieldIndex(this);
  }
}
