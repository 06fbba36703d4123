import { Status } from "../../../src/transport/status.ts";
import type { EndedCall } from "./client/connection.ts";
import { EndlessWriter } from "./client/endless_writer.ts";

/** An endless writer that reports its speed between two instants. */
export class TimedWriter extends EndlessWriter {
  readonly #endedAtMs: number[] = [];

  override ended(call: EndedCall): void {
    super.ended(call);
    if (call.status === Status.OK) this.#endedAtMs.push(call.endedAtMs);
  }

  /** The successful Sets a second between two times of `performance.now()`, the second excluded. */
  setsPerSecond(fromMs: number, untilMs: number): number {
    const sets = this.#endedAtMs.filter((ms) => ms >= fromMs && ms < untilMs).length;
    return sets / (untilMs - fromMs) * 1000;
  }
}
