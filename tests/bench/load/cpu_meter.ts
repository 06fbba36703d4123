import { cpuMs } from "../process_figures.ts";
import type { Measurement, ProcessRole, Watched } from "./load.ts";

/** The CPU time of the watched processes from one instant on. */
export class CpuMeter {
  readonly #watched: Watched;
  readonly #beforeMs: ReadonlyMap<ProcessRole, number>;

  /** Begins to count. */
  constructor(watched: Watched) {
    this.#watched = watched;
    this.#beforeMs = spentMs(watched);
  }

  /** The CPU time since then, in µs a call. A role with a process that cannot be read is left out. */
  perCallUs(calls: number): Measurement["cpuUs"] {
    const perCall: Partial<Record<ProcessRole, number>> = {};
    for (const [role, afterMs] of spentMs(this.#watched)) {
      const beforeMs = this.#beforeMs.get(role);
      if (beforeMs !== undefined && calls > 0) perCall[role] = (afterMs - beforeMs) * 1000 / calls;
    }
    return perCall;
  }
}

function spentMs(watched: Watched): Map<ProcessRole, number> {
  const spent = new Map<ProcessRole, number>();
  for (const [role, pids] of Object.entries(watched) as [ProcessRole, readonly number[]][]) {
    const times = pids.map(cpuMs);
    if (times.every((ms) => ms !== undefined)) spent.set(role, times.reduce((sum, ms) => sum + ms, 0));
  }
  return spent;
}
