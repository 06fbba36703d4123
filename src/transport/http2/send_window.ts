import { MAX_WINDOW_BYTES } from "./protocol.ts";

/**
 * The client's side of flow control: what we may still send, on one stream or on all together. It is negative after the
 * client has reduced SETTINGS_INITIAL_WINDOW_SIZE by more than was left. Source: RFC 9113 section 6.9.
 */
export class SendWindow {
  #leftBytes: number;

  constructor(sizeBytes: number) {
    this.#leftBytes = sizeBytes;
  }

  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** Counts sent octets; at most {@link leftBytes}. */
  spend(bytes: number): void {
    this.#leftBytes -= bytes;
  }

  /** Opens the window, or closes it by a negative number. Returns false when it overflows. */
  open(bytes: number): boolean {
    this.#leftBytes += bytes;
    return this.#leftBytes <= MAX_WINDOW_BYTES;
  }
}
