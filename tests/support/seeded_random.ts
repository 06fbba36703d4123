/** Numbers in [0, 1) that the seed determines (mulberry32): enough for tests, not for secrets. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs `test` with a fresh seed, or with the one that `TEST_SEED` names; a failure's message says which. */
export async function withSeed(test: (seed: number) => Promise<void>): Promise<void> {
  const named = Deno.env.get("TEST_SEED");
  const seed = named === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(named);
  try {
    await test(seed);
  } catch (error) {
    throw new Error(`Failed with TEST_SEED=${seed}`, { cause: error });
  }
}
