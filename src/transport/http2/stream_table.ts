import { OpenStreams } from "./open_streams.ts";
import type { Stream } from "./stream.ts";

/** Remembered resets of streams that may still get late frames. More than a client can have open. */
const MAX_REMEMBERED_RESETS = 1024;

/** The end that sent the last RST_STREAM of a stream. */
export type Resetter = "client" | "server";

/** The open streams of a connection, and the resets of closed ones. Source: RFC 9113 section 5.1. */
export class StreamTable {
  readonly #open = new OpenStreams<Stream>();
  /** In the order of the resets. */
  readonly #resets = new Map<number, Resetter>();
  #lastId = 0;

  /** Streams that are open or half-closed. */
  get size(): number {
    return this.#open.size;
  }

  /** The highest stream that the client has opened; 0 before the first. */
  get lastId(): number {
    return this.#lastId;
  }

  values(): Stream[] {
    return this.#open.values();
  }

  get(id: number): Stream | undefined {
    return this.#open.get(id);
  }

  /** Whether the client has not yet opened this stream. Even ones would be ours, and we open none. */
  isIdle(id: number): boolean {
    return id > this.#lastId || id % 2 === 0;
  }

  /** Records a new identifier. That closes lower ones that were skipped (section 5.1.1). */
  advance(id: number): void {
    this.#lastId = id;
  }

  add(stream: Stream): void {
    this.#open.add(stream);
  }

  remove(stream: Stream): void {
    this.#open.delete(stream.id);
  }

  /** Remembers a reset, so that late frames are not taken for errors. */
  rememberReset(id: number, by: Resetter): void {
    this.#resets.set(id, by);
    if (this.#resets.size > MAX_REMEMBERED_RESETS) this.#resets.delete(this.#resets.keys().next().value!);
  }

  /** Which end reset the stream; undefined when neither did, or too many others were reset since. */
  resetBy(id: number): Resetter | undefined {
    return this.#resets.get(id);
  }
}
