import { seededRandom, withSeed } from "../support/seeded_random.ts";
import { fuzzConnection, fuzzHpack } from "./fuzz.ts";

/** Takes a second or two. `deno task fuzz` sets more with `FUZZ_ROUNDS`. */
const DEFAULT_ROUNDS = 200;

for (const [subject, fuzz] of [["ServerConnection", fuzzConnection], ["HpackDecoder", fuzzHpack]] as const) {
  Deno.test(`${subject} survives input of any kind`, () =>
    withSeed((seed) => {
      const random = seededRandom(seed);
      const rounds = Number(Deno.env.get("FUZZ_ROUNDS") ?? DEFAULT_ROUNDS);
      for (let round = 0; round < rounds; round++) {
        // The first round runs the seed itself, so that TEST_SEED repeats a failure at once.
        const roundSeed = round === 0 ? seed : Math.floor(random() * 2 ** 32);
        try {
          fuzz(roundSeed);
        } catch (error) {
          throw new Error(`Failed in round ${round}: TEST_SEED=${roundSeed} repeats it at once`, {
            cause: error,
          });
        }
      }
      return Promise.resolve();
    }));
}
