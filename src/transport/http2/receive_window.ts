import { writeWindowUpdate } from "./frame_writer.ts";
import type { OutputBuffer } from "../output_buffer.ts";

/**
 * Our side of flow control: what the client may still send, on one stream or (id 0) on all together. Consumed
 * octets are given back once they are half of the window, in one WINDOW_UPDATE. Source: RFC 9113 section 6.9.
 */
export class ReceiveWindow {
  #sizeBytes: number;
  #leftBytes: number;
  #consumedBytes = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#leftBytes = sizeBytes;
  }

  /** Changes the size, and with it what is left, which may become negative. */
  resize(sizeBytes: number): void {
    this.#leftBytes += sizeBytes - this.#sizeBytes;
    this.#sizeBytes = sizeBytes;
  }

  /** Counts received octets; false when the client had no right to send them. */
  receive(bytes: number): boolean {
    this.#leftBytes -= bytes;
    return this.#leftBytes >= 0;
  }

  get isExhausted(): boolean {
    return this.#leftBytes <= 0;
  }

  /** Counts octets that nobody holds any more, and gives them back when it is time. */
  consume(bytes: number, streamId: number, out: OutputBuffer): void {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes * 2 < this.#sizeBytes) return;
    writeWindowUpdate(out, streamId, this.#consumedBytes);
    this.#leftBytes += this.#consumedBytes;
    this.#consumedBytes = 0;
  }
}
