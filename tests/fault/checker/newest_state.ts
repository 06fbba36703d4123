import type { State } from "./states.ts";

/** Finds, for an instant, the state that began last among those that were certain by then. */
export class NewestState {
  /** Ascending, with the newest of all states up to each. */
  readonly #steps: { readonly certainMs: number; readonly newest: State }[] = [];

  constructor(states: readonly State[], certainMs: (state: State) => number) {
    const sorted = states.map((state) => ({ state, certainMs: certainMs(state) }))
      .filter(({ certainMs }) => certainMs < Infinity)
      .sort((a, b) => a.certainMs - b.certainMs);
    let newest: State | undefined;
    for (const { state, certainMs } of sorted) {
      if (newest === undefined || state.startMs > newest.startMs) newest = state;
      this.#steps.push({ certainMs, newest });
    }
  }

  /** Undefined if none was certain before `ms`. */
  before(ms: number): State | undefined {
    let low = 0;
    let high = this.#steps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#steps[middle]!.certainMs < ms) low = middle + 1;
      else high = middle;
    }
    return this.#steps[low - 1]?.newest;
  }
}
