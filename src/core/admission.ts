/** How many connections a server takes. */
export interface AdmissionLimits {
  readonly maxConnections: number;
  /** Of one client address, so that it cannot take all of them. */
  readonly maxConnectionsPerAddress: number;
}

/**
 * What does not get to its client waits in the kernel, 4 MiB a connection by Linux's default: so that clients which do
 * not read hold 4 GiB at most.
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

  /** Counts a connection in; false, and nothing counted, when there are too many. */
  enter(address: string): boolean {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#total >= this.#limits.maxConnections || ofAddress >= this.#limits.maxConnectionsPerAddress) {
      return false;
    }
    this.#byAddress.set(address, ofAddress + 1);
    this.#total++;
    return true;
  }

  /** Counts out a connection that has entered. */
  leave(address: string): void {
    const left = (this.#byAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
    this.#total--;
  }
}
