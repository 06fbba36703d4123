import { ServiceError } from "../../../src/core/errors.ts";
import type { Clock } from "../../../src/core/clock.ts";

/** What may go wrong between a chain and a store, each with this probability in [0, 1]. */
export interface Faults {
  /** The request is lost: the store never gets it, and the call fails. */
  readonly refused: number;
  /** The store did nothing, and the call fails with `hadNoEffect`. */
  readonly undone: number;
  /** The same answer, although the store has done it: no store may. */
  readonly falselyUndone: number;
  /** The answer is lost: the store has done it, and the call fails. */
  readonly replyLost: number;
  /** No answer for a long time: the call times out, and the store may still do it. */
  readonly stalled: number;
}

export const NO_FAULTS: Faults = { refused: 0, undone: 0, falselyUndone: 0, replyLost: 0, stalled: 0 };

/** The result of a request to a server that no longer exists. */
export const GONE: unique symbol = Symbol("gone");

/** A request or a reply that is on its way. */
interface Packet {
  readonly sentAtMs: number;
  /** Nearly all others overtake it, also whole operations that began after it was sent. */
  readonly isSlow: boolean;
  deliver(): void;
}

/** Messages that arrive in the order in which they were sent, or not at all once it is cut. */
export interface Line {
  send(deliver: () => void): void;
  /** Loses what is on its way. */
  cut(): void;
}

/** The longest that a packet is on its way: far beyond every time-out, and shorter than a tombstone lives. */
export const MAX_DELAY_MS = 20_000;

/** How often slow packets have the same chance as others. */
const SLOW_TURN = 0.05;

/** Carries calls from chains to stores; the schedule decides when and in which order they arrive. */
export class SimulatedNetwork {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #slow: number;
  readonly #packets: Packet[] = [];

  /** `slow` is how likely a packet is overtaken by nearly all others. */
  constructor(clock: Clock, random: () => number, slow: number) {
    this.#clock = clock;
    this.#random = random;
    this.#slow = slow;
  }

  get packetCount(): number {
    return this.#packets.length;
  }

  /** A separate line, independent of the calls. */
  line(): Line {
    let waiting: (() => void)[] = [];
    return {
      send: (deliver) => {
        const mine = waiting;
        mine.push(deliver);
        // Each packet delivers whatever is next: they may change places, the messages do not.
        this.#send(() => mine.shift()?.());
      },
      cut: () => {
        waiting.length = 0;
        waiting = [];
      },
    };
  }

  /**
   * Calls `apply` in the store some time later and resolves with its result later still. The call fails if
   * `apply` returns {@link GONE}. `isAlive`: whether the caller is.
   */
  call<T>(apply: () => T | typeof GONE, faults: Faults, isAlive: () => boolean): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const dice = this.#random();
    const fail = (hadNoEffect: boolean) =>
      reject(new ServiceError("store_unavailable", "Simulated failure", { hadNoEffect }));
    const reply = (answer: () => void) => this.#send(() => isAlive() && answer());
    let bound = 0;
    const isBelow = (probability: number) => dice < (bound += probability);
    this.#send(() => {
      if (isBelow(faults.refused)) return reply(() => fail(false));
      if (isBelow(faults.undone)) return reply(() => fail(true));
      const result = apply();
      if (isBelow(faults.falselyUndone)) return reply(() => fail(true));
      if (result === GONE || isBelow(faults.replyLost)) return reply(() => fail(false));
      if (isBelow(faults.stalled)) return;
      reply(() => resolve(result));
    });
    return promise;
  }

  /** Delivers one packet, whichever, but seldom a slow one before the others. */
  deliverAny(): void {
    const ready = this.#random() < SLOW_TURN ? this.#packets : this.#packets.filter(({ isSlow }) => !isSlow);
    const among = ready.length > 0 ? ready : this.#packets;
    const packet = among[Math.floor(this.#random() * among.length)];
    if (packet === undefined) return;
    this.#packets.splice(this.#packets.indexOf(packet), 1);
    packet.deliver();
  }

  /** Delivers whatever would be on its way for too long once `ms` have passed. */
  deliverOverdue(ms: number): void {
    const dueBeforeMs = this.#clock.now() + ms - MAX_DELAY_MS;
    for (let packet = this.#packets[0]; packet !== undefined && packet.sentAtMs <= dueBeforeMs;) {
      this.#packets.shift();
      packet.deliver();
      packet = this.#packets[0];
    }
  }

  #send(deliver: () => void): void {
    const isSlow = this.#random() < this.#slow;
    this.#packets.push({ sentAtMs: this.#clock.now(), isSlow, deliver });
  }
}
