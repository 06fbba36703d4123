/** How many are put into one piece. */
const PIECE = 65_536;

/**
 * A million numbers and more, one after the other: in pieces, because a list that grows is copied and collected, and
 * the load stands still meanwhile.
 */
export class Latencies {
  readonly #pieces: Float64Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(ms: number): void {
    const at = this.#length++ % PIECE;
    if (at === 0) this.#pieces.push(new Float64Array(PIECE));
    this.#pieces.at(-1)![at] = ms;
  }

  /** All of them, in a list of its own. */
  toArray(): Float64Array {
    const all = new Float64Array(this.#pieces.length * PIECE);
    this.#pieces.forEach((piece, index) => all.set(piece, index * PIECE));
    return all.subarray(0, this.#length);
  }
}
