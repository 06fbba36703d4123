import type { Family } from "../checker/history.ts";
import type { KeyName, RecordingClient } from "./recorder.ts";

/** How long keys are written before others replace them. */
const EPISODE_MS = 1_000;
/** How many more episodes they are read: longer than the longest fault. */
const READ_EPISODES = 18;
const KEYS_PER_FAMILY = 3;

/**
 * Many clients write, read and delete a few keys at once for a while, and then only read them. Brief errors show in the
 * busy time; lasting errors show afterwards, when no later write hides them.
 */
export class Workload {
  readonly #startMs = performance.now();
  readonly #families: readonly Family[];
  #lastValue = 0;

  /** `families` are the kinds of keys. */
  constructor(families: readonly Family[]) {
    this.#families = families;
  }

  /** One call, chosen at random. */
  async step(client: RecordingClient, random: () => number): Promise<void> {
    const episode = this.#episode;
    const dice = random();
    if (dice < 0.65) {
      const age = random() < 0.5 ? 0 : Math.floor(random() * READ_EPISODES);
      await client.read(this.#anyKey(Math.max(0, episode - age), random));
    } else if (dice < 0.88) await client.write(this.#anyKey(episode, random), `v${++this.#lastValue}`);
    else await client.delete(this.#anyKey(episode, random));
  }

  /** Every key so far. */
  keys(): KeyName[] {
    const episodes = Array.from({ length: this.#episode + 1 }, (_, episode) => episode);
    return episodes.flatMap((episode) => this.#keysOf(episode));
  }

  /** A secret that is written now or was a moment ago. */
  recentSecret(random: () => number): KeyName {
    const episode = Math.max(0, this.#episode - (random() < 0.5 ? 0 : 1));
    return keyOf("secret", episode, Math.floor(random() * KEYS_PER_FAMILY));
  }

  get #episode(): number {
    return Math.floor((performance.now() - this.#startMs) / EPISODE_MS);
  }

  #anyKey(episode: number, random: () => number): KeyName {
    const keys = this.#keysOf(episode);
    return keys[Math.floor(random() * keys.length)]!;
  }

  #keysOf(episode: number): KeyName[] {
    return this.#families.flatMap((family) =>
      Array.from({ length: KEYS_PER_FAMILY }, (_, index) => keyOf(family, episode, index))
    );
  }
}

function keyOf(family: Family, episode: number, index: number): KeyName {
  return { family, key: `${episode}-${index}` };
}
