/** The most connections that a server takes. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Of one client address, so that one client cannot take all of them. */
  readonly maxConnectionsPerAddress: number;
}

/**
 * Output that a client does not read waits in the kernel, up to 4 MiB a connection by Linux's default. Clients that do
 * not read hold at most 4 GiB with these limits.
 */
export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = Object.freeze({
  maxConnections: 1024,
  maxConnectionsPerAddress: 768,
});

/** Counts connections, overall and by address. */
export class ConnectionLimiter {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Counts a connection. Returns false, and counts nothing, when there are too many. */
  acquire(address: string): boolean {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#total >= this.#limits.maxConnections || ofAddress >= this.#limits.maxConnectionsPerAddress) {
      return false;
    }
    this.#byAddress.set(address, ofAddress + 1);
    this.#total++;
    return true;
  }

  /** Ends the count of a connection that {@link acquire} has counted. */
  release(address: string): void {
    const left = (this.#byAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
    this.#total--;
  }
}
