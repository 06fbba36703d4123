/** The initial number of slots; a power of 2. */
const MIN_SLOTS = 16;

/**
 * Streams by their identifier: a hash table with linear probing. The hash is the identifier itself, which clients count
 * up, so open streams rarely collide.
 *
 *     37 -> slot 2, 39 -> slot 3 …        | … | 37 | 39 | 5 | 43 | … |     5: long-lived, its slot was taken
 *
 * In V8, a Map may keep deleted streams and their calls alive for seconds: see cache/transient_map.ts.
 */
export class OpenStreams<S extends { readonly id: number }> {
  #slots: (S | undefined)[] = new Array(MIN_SLOTS).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** All streams, in no order. */
  values(): S[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  get(id: number): S | undefined {
    return this.#slots[this.#find(id)];
  }

  /** Adds a stream that is not there. */
  add(stream: S): void {
    // Half of the slots stay free, so that searches end soon.
    if (++this.#size * 2 > this.#slots.length) this.#grow();
    this.#slots[this.#find(stream.id)] = stream;
  }

  delete(id: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let free = this.#find(id);
    if (slots[free] === undefined) return;
    this.#size--;
    // Streams that were displaced by this one move up; otherwise a search for them would end at the gap.
    for (let at = (free + 1) & mask; slots[at] !== undefined; at = (at + 1) & mask) {
      const home = (slots[at]!.id >>> 1) & mask;
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      slots[free] = slots[at];
      free = at;
    }
    slots[free] = undefined;
  }

  /** The slot of the stream with this identifier, or the free one that it would take. */
  #find(id: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (id >>> 1) & mask;
    for (let there = slots[at]; there !== undefined && there.id !== id; there = slots[at]) {
      at = (at + 1) & mask;
    }
    return at;
  }

  #grow(): void {
    const streams = this.values();
    this.#slots = new Array(this.#slots.length * 2).fill(undefined);
    for (const stream of streams) this.#slots[this.#find(stream.id)] = stream;
  }
}
