/** How many places there are at first; a power of 2. */
const MIN_PLACES = 16;

/**
 * Streams by their identifier: a hash table with linear probing, whose hash is the identifier itself. Clients count it
 * up, so that the streams which are open at a time mostly have a place each.
 *
 *     37 -> place 2, 39 -> place 3 …        | … | 37 | 39 | 5 | 43 | … |     5: long-lived, its place was taken
 *
 * Not a Map, which V8 lets hold on to streams that are gone, and all their calls, for as long as seconds: see
 * cache/transient_map.ts.
 */
export class OpenStreams<S extends { readonly id: number }> {
  #places: (S | undefined)[] = new Array(MIN_PLACES).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** All of them, in no order. */
  values(): S[] {
    return this.#places.filter((stream) => stream !== undefined);
  }

  get(id: number): S | undefined {
    return this.#places[this.#find(id)];
  }

  /** Adds a stream that is not there. */
  add(stream: S): void {
    // Half of the places stay free, so that a search ends soon.
    if (++this.#size * 2 > this.#places.length) this.#grow();
    this.#places[this.#find(stream.id)] = stream;
  }

  delete(id: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let free = this.#find(id);
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
