import type { Stream } from "./stream.ts";

/** Streams we reset, of which late frames may still be under way. More than a client can have open. */
const MAX_REMEMBERED_RESETS = 1024;

/** How many places there are at first; a power of 2. */
const MIN_PLACES = 16;

/**
 * The streams of a connection, and what is known of those that are gone. Source: RFC 9113 section 5.1.
 *
 * Open streams stand in a hash table with linear probing, whose hash is the identifier itself: clients count it up, so
 * that those which are open at a time mostly have a place each.
 *
 *     id 37    38 -> place 18, 39 -> place 19 …        | … | 37 | 39 | 5 | 43 | … |     5: long-lived, met 37 on its place
 *
 * Not a Map, which V8 lets hold on to streams that are gone, and all their calls, for as long as seconds: see
 * cache/transient_map.ts.
 */
export class StreamTable {
  #places: (Stream | undefined)[] = new Array(MIN_PLACES).fill(undefined);
  #size = 0;
  readonly #resetByUs = new Set<number>();
  #lastId = 0;

  /** Streams that are open or half-closed. */
  get size(): number {
    return this.#size;
  }

  /** The highest stream that the client has opened; 0 before the first. */
  get lastId(): number {
    return this.#lastId;
  }

  /** All open streams, in no order. */
  values(): Stream[] {
    return this.#places.filter((stream) => stream !== undefined);
  }

  get(id: number): Stream | undefined {
    return this.#places[this.#find(id)];
  }

  /** Whether the client has not yet opened this stream. Even ones would be ours, and we open none. */
  isIdle(id: number): boolean {
    return id > this.#lastId || id % 2 === 0;
  }

  /** Counts a new identifier; lower ones that were skipped are closed by that (section 5.1.1). */
  advance(id: number): void {
    this.#lastId = id;
  }

  /** Adds a stream that is not there. */
  add(stream: Stream): void {
    // Half of the places stay free, so that a search ends soon.
    if (++this.#size * 2 > this.#places.length) this.#grow();
    this.#places[this.#find(stream.id)] = stream;
  }

  remove(stream: Stream): void {
    const places = this.#places;
    const mask = places.length - 1;
    let free = this.#find(stream.id);
    if (places[free] === undefined) return;
    this.#size--;
    // Whoever stands behind because the place was taken moves up, or a search would end at the gap.
    for (let at = (free + 1) & mask; places[at] !== undefined; at = (at + 1) & mask) {
      const home = (places[at]!.id >>> 1) & mask;
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      places[free] = places[at];
      free = at;
    }
    places[free] = undefined;
  }

  /** Remembers that we reset a stream, so that what the client sent before it knew is ignored. */
  rememberReset(id: number): void {
    this.#resetByUs.add(id);
    if (this.#resetByUs.size > MAX_REMEMBERED_RESETS) {
      this.#resetByUs.delete(this.#resetByUs.values().next().value!);
    }
  }

  wasResetByUs(id: number): boolean {
    return this.#resetByUs.has(id);
  }

  /** The place of the stream with this identifier, or the free one that it would take. */
  #find(id: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let at = (id >>> 1) & mask;
    for (let there = places[at]; there !== undefined && there.id !== id; there = places[at]) {
      at = (at + 1) & mask;
    }
    return at;
  }

  #grow(): void {
    const streams = this.values();
    this.#places = new Array(this.#places.length * 2).fill(undefined);
    for (const stream of streams) this.#places[this.#find(stream.id)] = stream;
  }
}
