/** A request that waits for a batch, with its result. */
export interface Waiting<Q, R> {
  readonly request: Q;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Removes the oldest waiting requests and returns them, except those for which `check` throws: these are rejected. */
export type TakeBatch<Q, R> = (check?: (request: Q) => void) => readonly Waiting<Q, R>[];

export interface BatcherOptions<Q, R> {
  /** The most requests of one batch. */
  readonly maxRequests: number;
  /** While this many batches are under way, requests wait. */
  readonly maxUnderWay: number;
  /** Whether requests that need more batches than the maximum wait as well, or start all these batches together. */
  readonly excess: "waits" | "starts";
  /** Takes a batch once it can send, and settles its requests; a rejection rejects the rest of them. */
  readonly run: (take: TakeBatch<Q, R>) => Promise<void>;
}

/**
 * Collects requests for batches: those of one turn of the event loop, and those that come while the maximum of batches
 * is under way. So batches grow with the load. With a maximum of two:
 *
 *     turn 1    a, b              ->  batch a b
 *     turn 2    c                 ->  batch c
 *     turn 3    d
 *     turn 4    e
 *     turn 5    a, b are answered ->  batch d e
 */
export class Batcher<Q, R> {
  readonly #options: BatcherOptions<Q, R>;
  #waiting: Waiting<Q, R>[] = [];
  #underWay = 0;
  #isStartScheduled = false;

  constructor(options: BatcherOptions<Q, R>) {
    this.#options = options;
  }

  /** Adds a request to a batch, which starts at the end of this turn if it may; settles as that batch decides. */
  add(request: Q): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (this.#isStartScheduled || this.#underWay >= this.#options.maxUnderWay) return;
      this.#isStartScheduled = true;
      queueMicrotask(() => {
        this.#isStartScheduled = false;
        this.#start();
      });
    });
  }

  /** Makes requests that a batch left out the oldest again, before the batch ends. */
  putBack(left: readonly Waiting<Q, R>[]): void {
    this.#waiting.unshift(...left);
  }

  #start(): void {
    const { maxRequests, maxUnderWay, excess } = this.#options;
    for (let left = this.#waiting.length; left > 0; left -= maxRequests) {
      if (excess === "waits" && this.#underWay >= maxUnderWay) return;
      this.#run();
    }
  }

  async #run(): Promise<void> {
    const { run, maxUnderWay } = this.#options;
    this.#underWay++;
    let batch: readonly Waiting<Q, R>[] | undefined;
    try {
      await run((check) => batch = this.#take(check));
    } catch (error) {
      // A batch that could not take any leaves the requests to the others under way, which took theirs or still may.
      if (batch === undefined && this.#underWay > 1) return void this.#underWay--;
      for (const { reject } of batch ?? this.#take()) reject(error);
    }
    this.#underWay--;
    if (this.#underWay < maxUnderWay && !this.#isStartScheduled) this.#start();
  }

  #take(check?: (request: Q) => void): readonly Waiting<Q, R>[] {
    const { maxRequests } = this.#options;
    let taken = this.#waiting;
    if (taken.length > maxRequests) taken = taken.splice(0, maxRequests);
    else this.#waiting = [];
    if (check === undefined) return taken;
    return taken.filter(({ request, reject }) => {
      try {
        check(request);
        return true;
      } catch (error) {
        reject(error);
        return false;
      }
    });
  }
}
