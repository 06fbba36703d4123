/** What messages may hold, over all connections of a server. */
export interface MessageMemoryLimits {
  /** From here on, what would need more waits: requests that are still arriving, and calls before they start. */
  readonly waitAboveBytes: number;
  /** Here, requests and answers that would need more are refused. */
  readonly maxBytes: number;
}

export const DEFAULT_MESSAGE_MEMORY: MessageMemoryLimits = Object.freeze({
  waitAboveBytes: 64 * 1024 * 1024,
  maxBytes: 256 * 1024 * 1024,
});

/** How many go on although there is no room, so that all come to their end. */
const MAX_RUNNING = 16;

/** How large a method's answer is taken to be before there was one. */
const FIRST_EXPECTED_BYTES = 512 * 1024;
/** By which share of its difference one answer moves what is expected of the next. */
const EXPECTATION_STEP = 1 / 16;

/** Waits for room. */
export interface RoomWaiter {
  /** There is room, or its turn has come all the same. */
  onRoom(): void;
}

/** A request that is arriving. */
export interface Arriving extends RoomWaiter {
  /** Octets that are still to come. */
  readonly missingBytes: number;
}

/**
 * Counts what messages hold over all connections, from a request's first octet until its answer has left: what has
 * arrived of requests, what handlers work on, the answers that they are expected to bring, and those that wait for
 * their clients.
 *
 * Where there is no room, requests wait: their clients' windows stay closed, so that each holds a window at most. They
 * go on in the order in which they came. Some may always go on, those that are slow not for long, so that neither a
 * lack of room nor slow clients can stop all of them. Calls wait before they start, where another one of their
 * connection is under way.
 */
export class MessageMemory {
  readonly #limits: MessageMemoryLimits;
  #usedBytes = 0;
  readonly #waiting = new Set<Arriving>();
  readonly #running = new Set<Arriving>();
  readonly #starting = new Set<RoomWaiter>();
  #isStarting = false;
  /** By method: the mean of its answers, of which the last count most. */
  readonly #expectedBytes = new Map<string, number>();

  constructor(limits: MessageMemoryLimits) {
    this.#limits = limits;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether requests that are still arriving have to wait. */
  get isScarce(): boolean {
    return this.#usedBytes >= this.#limits.waitAboveBytes;
  }

  /** Counts octets; false, and nothing counted, when there would be too many. */
  take(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#limits.maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Whether there is so little room that large answers are refused. */
  get isFull(): boolean {
    return this.#usedBytes >= this.#limits.maxBytes;
  }

  /** Counts octets that are there already. */
  add(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Counts octets that are no longer held. */
  give(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.#waiting.size > 0) this.#resumeNext();
    if (this.#starting.size > 0) this.#startNext();
  }

  /** Counts the answer of a method that is to come; returns what {@link answered} is to be told. */
  expectAnswer(method: string): number {
    const bytes = this.#expected(method);
    this.#usedBytes += bytes;
    return bytes;
  }

  /** An answer of `bytes` has come, and is counted from now on where it waits. */
  answered(method: string, expectedBytes: number, bytes: number): void {
    // The first one counts alone: a guess that wore off slowly would hold back methods whose answers are small.
    const earlier = this.#expectedBytes.get(method);
    if (earlier === undefined) this.#expectedBytes.set(method, bytes);
    else if (earlier !== bytes) {
      this.#expectedBytes.set(method, Math.ceil(earlier + (bytes - earlier) * EXPECTATION_STEP));
    }
    this.give(expectedBytes);
  }

  #expected(method: string): number {
    return this.#expectedBytes.get(method) ?? FIRST_EXPECTED_BYTES;
  }

  /** Tells the waiter once, when there is room. */
  whenRoom(waiter: RoomWaiter): void {
    this.#starting.add(waiter);
  }

  /** Whether the request may go on; if not, it is told when it may, unless it leaves. */
  mayGoOn(request: Arriving): boolean {
    if (!this.isScarce || this.#running.has(request)) return true;
    this.#waiting.add(request);
    this.#resumeNext();
    return !this.#waiting.has(request);
  }

  /** The request is complete, or its call has ended. */
  leave(request: Arriving): void {
    this.#waiting.delete(request);
    if (this.#running.delete(request)) this.#resumeNext();
  }

  /** Lets others go on in the place of those that are slow; to be called about once a second. */
  tick(): void {
    this.#running.clear();
    this.#resumeNext();
  }

  #resumeNext(): void {
    let roomBytes = this.#limits.waitAboveBytes - this.#usedBytes;
    for (const request of this.#waiting) {
      if (roomBytes <= 0 && this.#running.size >= MAX_RUNNING) return;
      roomBytes -= request.missingBytes;
      this.#waiting.delete(request);
      this.#running.add(request);
      request.onRoom();
    }
  }

  #startNext(): void {
    // A waiter that starts calls may end some at once, which comes back here.
    if (this.#isStarting) return;
    this.#isStarting = true;
    for (const waiter of this.#starting) {
      if (this.isScarce) break;
      this.#starting.delete(waiter);
      waiter.onRoom();
    }
    this.#isStarting = false;
  }
}
