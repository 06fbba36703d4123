/** How many connections a server accepts. */
export interface AdmissionLimits {
  readonly maxConnections: number;
  /** From one client address, so that one client cannot use up all connections. */
  readonly maxConnectionsPerAddress: number;
}

/**
 * Unread output waits in the kernel, up to 4 MiB a connection by Linux's default. So clients that do not read hold at
 * most 4 GiB.
 */
export const DEFAULT_ADMISSION_LIMITS: AdmissionLimits = Object.freeze({
  maxConnections: 1024,
  maxConnectionsPerAddress: 768,
});

/** Counts connections, overall and by address. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Counts a new connection; false, and nothing is counted, when there are too many. */
  enter(address: string): boolean {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#total >= this.#limits.maxConnections || ofAddress >= this.#limits.maxConnectionsPerAddress) {
      return false;
    }
    this.#byAddress.set(address, ofAddress + 1);
    this.#total++;
    return true;
  }

  /** Counts off a connection that has entered. */
  leave(address: string): void {
    const left = (this.#byAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
    this.#total--;
  }
}
