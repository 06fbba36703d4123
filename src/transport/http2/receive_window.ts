import { writeWindowUpdate } from "./frame_writer.ts";
import type { OutputBuffer } from "../output_buffer.ts";

/**
 * Our side of flow control: what the client may still send, on one stream or (id 0) on all together. One WINDOW_UPDATE
 * returns consumed octets once they are half of the window. Source: RFC 9113 section 6.9.
 */
export class ReceiveWindow {
  #sizeBytes: number;
  #leftBytes: number;
  #consumedBytes = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#leftBytes = sizeBytes;
  }

  /** Changes the size, and the octets left by the same amount; these may become negative. */
  resize(sizeBytes: number): void {
    this.#leftBytes += sizeBytes - this.#sizeBytes;
    this.#sizeBytes = sizeBytes;
  }

  /** Counts received octets. Returns false when the client has exceeded the window. */
  receive(bytes: number): boolean {
    this.#leftBytes -= bytes;
    return this.#leftBytes >= 0;
  }

  get isExhausted(): boolean {
    return this.#leftBytes <= 0;
  }

  /** Counts octets that are no longer held, and returns them to the client once they are half of the window. */
  consume(bytes: number, streamId: number, out: OutputBuffer): void {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes * 2 < this.#sizeBytes) return;
    writeWindowUpdate(out, streamId, this.#consumedBytes);
    this.#leftBytes += this.#consumedBytes;
    this.#consumedBytes = 0;
  }
}
