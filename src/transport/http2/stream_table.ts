import { OpenStreams } from "./open_streams.ts";
import type { Stream } from "./stream.ts";

/** Streams that were reset and may still get late frames. More than a client can have open. */
const MAX_REMEMBERED_RESETS = 1024;

/** Which end has sent the last RST_STREAM of a stream. */
export type Resetter = "client" | "server";

/** The streams of a connection, and what is known of those that are gone. Source: RFC 9113 section 5.1. */
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

  /** Counts a new identifier; lower ones that were skipped are closed by that (section 5.1.1). */
  advance(id: number): void {
    this.#lastId = id;
  }

  add(stream: Stream): void {
    this.#open.add(stream);
  }

  remove(stream: Stream): void {
    this.#open.delete(stream.id);
  }

  /** Remembers a reset, so that frames that come after it are told from a mistake. */
  rememberReset(id: number, by: Resetter): void {
    this.#resets.set(id, by);
    if (this.#resets.size > MAX_REMEMBERED_RESETS) this.#resets.delete(this.#resets.keys().next().value!);
  }

  /** Undefined when the stream was not reset, or too many others were since. */
  resetBy(id: number): Resetter | undefined {
    return this.#resets.get(id);
  }
}
