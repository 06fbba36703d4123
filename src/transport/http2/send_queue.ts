import type { HeaderField } from "../hpack/header_field.ts";

/** The data that one stream has yet to send: parts of a body, then perhaps its trailers. */
export class SendQueue {
  readonly #parts: Uint8Array[] = [];
  #firstOffset = 0;
  #bytes = 0;
  trailers: readonly HeaderField[] | undefined = undefined;
  /** Whether the stream is in the sender's queue of streams that may send. */
  isQueued = false;

  /** Octets of the body. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps `part` without a copy: its owner must not change it. */
  add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  /** Moves the next `count` octets to `target`. */
  moveTo(target: Uint8Array, offset: number, count: number): void {
    this.#bytes -= count;
    while (count > 0) {
      const part = this.#parts[0]!;
      const taken = Math.min(count, part.length - this.#firstOffset);
      target.set(part.subarray(this.#firstOffset, this.#firstOffset + taken), offset);
      offset += taken;
      count -= taken;
      this.#firstOffset += taken;
      if (this.#firstOffset === part.length) {
        this.#parts.shift();
        this.#firstOffset = 0;
      }
    }
  }
}
