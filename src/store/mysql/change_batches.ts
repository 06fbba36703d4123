import { ServiceError } from "../../core/errors.ts";
import type { Epoch } from "../../core/ports.ts";
import { refuseAborted } from "../database_error.ts";
import { isRowBusy } from "./errors.ts";
import type { MysqlPool } from "./pool.ts";
import type { MysqlSession } from "./session.ts";

/** The most changes in one statement. */
export const MAX_CHANGES_TOGETHER = 16;

/** The statements of one kind of change; `C` is a change and `R` its result. */
export interface ChangeStatements<C, R> {
  /** Makes one change in its own transaction, and waits for the lock of its row. */
  alone(session: MysqlSession, change: C, epoch: Epoch): Promise<R>;
  /** Makes all changes in one transaction, or none. Rejects at once if a row is locked. */
  together(session: MysqlSession, changes: readonly C[], epoch: Epoch): Promise<readonly R[]>;
  /** Whether the server supports joint changes. */
  canJoin(session: MysqlSession): boolean;
}

interface WaitingChange<C, R> {
  readonly secretId: string;
  readonly change: C;
  readonly epoch: Epoch;
  readonly signal: AbortSignal;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes changes of different rows that wait for a connection in one statement. A statement costs this process and the
 * server several times a row, and flushes the log once. A change that does not wait is made alone.
 *
 *     a, b, c, d, e wait    two connections are free    ->  INSERT a, b, c, d    INSERT e
 *     b's row is locked                                 ->  nothing is done      ->  INSERT a    INSERT b    …
 *
 * So no change waits for the lock of another row, and no refused change fails the others. Statements have 1, 2, 4 … rows,
 * so that few are prepared.
 *
 * Each change asks for a connection, and each connection serves the changes that have waited longest. If a request for a
 * connection times out, the change that has waited longest is rejected: so each is, by its own time-out.
 *
 * Not a Batcher of store/batcher.ts: the pool bounds the batches under way, and a batch has different rows and one epoch,
 * not simply the oldest changes.
 */
export class MysqlChangeBatches<C, R> {
  readonly #pool: Pick<MysqlPool, "change">;
  readonly #statements: ChangeStatements<C, R>;
  /** Never aborted: a statement serves several callers. */
  readonly #signal = new AbortController().signal;
  #waiting: WaitingChange<C, R>[] = [];

  constructor(pool: Pick<MysqlPool, "change">, statements: ChangeStatements<C, R>) {
    this.#pool = pool;
    this.#statements = statements;
  }

  /** Makes the change. Rejects as {@link MysqlPool.change} does. Never begins it for a caller that has left. */
  make(secretId: string, change: C, epoch: Epoch, signal: AbortSignal): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ secretId, change, epoch, signal, resolve, reject });
      this.#begin();
    });
  }

  async #begin(): Promise<void> {
    let batch: readonly WaitingChange<C, R>[] | undefined;
    try {
      await this.#pool.change(async (session) => {
        // Taken only now, so that later changes join.
        batch = this.#take(this.#statements.canJoin(session) ? MAX_CHANGES_TOGETHER : 1);
        await this.#make(session, batch);
      }, this.#signal);
    } catch (error) {
      if (batch === undefined) return this.#waiting.shift()?.reject(error);
      const isCertain = error instanceof ServiceError && error.hadNoEffect;
      for (const each of batch) {
        if (isCertain && batch.length > 1) this.#makeAlone(each);
        else each.reject(error);
      }
    }
  }

  async #make(session: MysqlSession, batch: readonly WaitingChange<C, R>[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const { change, epoch } = first;
    if (batch.length === 1) return first.resolve(await this.#statements.alone(session, change, epoch));
    try {
      const changes = batch.map(({ change }) => change);
      const results = await this.#statements.together(session, changes, epoch);
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]!);
    } catch (error) {
      if (!isRowBusy(error)) throw error;
      for (const each of batch) this.#makeAlone(each);
    }
  }

  #makeAlone({ change, epoch, signal, resolve, reject }: WaitingChange<C, R>): void {
    this.#pool.change((session) => this.#statements.alone(session, change, epoch), signal)
      .then(resolve, reject);
  }

  /** The longest waiting changes of different rows and one epoch: a power of 2 of them, at most `limit`. */
  #take(limit: number): readonly WaitingChange<C, R>[] {
    this.#waiting = this.#waiting.filter((waiting) => !hasLeft(waiting));
    const fitting = new Map<string, WaitingChange<C, R>>();
    for (const waiting of this.#waiting) {
      if (fitting.size === limit) break;
      const { secretId, epoch } = waiting;
      if (epoch === this.#waiting[0]!.epoch && !fitting.has(secretId)) fitting.set(secretId, waiting);
    }
    const count = fitting.size === 0 ? 0 : 2 ** Math.floor(Math.log2(fitting.size));
    const batch = new Set([...fitting.values()].slice(0, count));
    this.#waiting = this.#waiting.filter((waiting) => !batch.has(waiting));
    return [...batch];
  }
}

/** Whether the caller has left. If so, rejects its change, which has had no effect. */
function hasLeft<C, R>({ signal, reject }: WaitingChange<C, R>): boolean {
  try {
    refuseAborted(signal);
    return false;
  } catch (error) {
    reject(error);
    return true;
  }
}
