/** The numbers of one piece. */
const PIECE = 65_536;

/**
 * A list of a million numbers and more, in pieces: a growing array is copied and collected, which would stall the load.
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
