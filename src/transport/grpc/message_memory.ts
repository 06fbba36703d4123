/** Bounds on the memory of messages, over all connections of a server. */
export interface MessageMemoryLimits {
  /** Above this, requests that are still arriving wait, and so do calls that have not started. */
  readonly waitAboveBytes: number;
  /** Requests and responses that would exceed this are refused. */
  readonly maxBytes: number;
}

export const DEFAULT_MESSAGE_MEMORY: MessageMemoryLimits = Object.freeze({
  waitAboveBytes: 64 * 1024 * 1024,
  maxBytes: 256 * 1024 * 1024,
});

/** Requests that may continue although there is no room, so that all of them complete in the end. */
const MAX_RUNNING = 16;

/** The expected size of a method's first response. */
const FIRST_EXPECTED_BYTES = 512 * 1024;
/** How far one response moves the expectation towards its own size. */
const EXPECTATION_STEP = 1 / 16;

/** Something that waits for room. */
export interface RoomWaiter {
  /** There is room, or this waiter may continue without. */
  onRoom(): void;
}

/** A request that is still arriving. */
export interface IncomingRequest extends RoomWaiter {
  /** Octets still to come. */
  readonly missingBytes: number;
}

/**
 * Counts the memory of messages over all connections, from a request's first octet until its response has left:
 * incoming requests, requests that handlers work on, the expected size of their responses, and responses that wait for
 * their clients.
 *
 * Without room, incoming requests wait: their clients' windows stay closed, so each holds at most a window. They
 * continue in the order of arrival. {@link MAX_RUNNING} of them may always continue, and slow ones lose that place at
 * the next tick, so neither lack of room nor slow clients can stop all requests. A call waits before it starts if
 * another call of its connection is running.
 */
export class MessageMemory {
  readonly #limits: MessageMemoryLimits;
  #usedBytes = 0;
  readonly #waiting = new Set<IncomingRequest>();
  readonly #running = new Set<IncomingRequest>();
  readonly #starting = new Set<RoomWaiter>();
  #isStarting = false;
  /** The running mean of response sizes by method; recent ones weigh most. */
  readonly #expectedBytes = new Map<string, number>();

  constructor(limits: MessageMemoryLimits) {
    this.#limits = limits;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether incoming requests have to wait. */
  get isScarce(): boolean {
    return this.#usedBytes >= this.#limits.waitAboveBytes;
  }

  /** Counts octets. Returns false, and counts nothing, if that would exceed the limit. */
  acquire(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#limits.maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Whether large responses are refused. */
  get isFull(): boolean {
    return this.#usedBytes >= this.#limits.maxBytes;
  }

  /** Counts octets that are already held, whatever the limit. */
  add(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Counts octets as free, and lets waiters continue. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.#waiting.size > 0) this.#resumeNext();
    if (this.#starting.size > 0) this.#startNext();
  }

  /** Counts the expected size of a method's response. Returns it, to be passed to {@link responseReady}. */
  expectResponse(method: string): number {
    const bytes = this.#expected(method);
    this.#usedBytes += bytes;
    return bytes;
  }

  /** Replaces the expectation: the response has `bytes`, which its connection counts while they wait. */
  responseReady(method: string, expectedBytes: number, bytes: number): void {
    // The first response replaces the guess: averaging it in would hold back methods with small responses for long.
    const earlier = this.#expectedBytes.get(method);
    if (earlier === undefined) this.#expectedBytes.set(method, bytes);
    else if (earlier !== bytes) {
      this.#expectedBytes.set(method, Math.ceil(earlier + (bytes - earlier) * EXPECTATION_STEP));
    }
    this.release(expectedBytes);
  }

  #expected(method: string): number {
    return this.#expectedBytes.get(method) ?? FIRST_EXPECTED_BYTES;
  }

  /** Calls the waiter once, when there is room. */
  notifyWhenRoom(waiter: RoomWaiter): void {
    this.#starting.add(waiter);
  }

  /** Whether the request may continue. If not, its {@link RoomWaiter.onRoom} is called later, unless it leaves. */
  mayContinue(request: IncomingRequest): boolean {
    if (!this.isScarce || this.#running.has(request)) return true;
    this.#waiting.add(request);
    this.#resumeNext();
    return !this.#waiting.has(request);
  }

  /** Forgets a request that is complete or whose call has ended. */
  leave(request: IncomingRequest): void {
    this.#waiting.delete(request);
    if (this.#running.delete(request)) this.#resumeNext();
  }

  /** Lets waiting requests take the places of slow ones. Call it about once a second. */
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
    // A waiter that starts calls may end some at once, which calls this again.
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
