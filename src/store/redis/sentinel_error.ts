/** A failed connection to one sentinel. Other sentinels may still name the master. */
export class SentinelError extends Error {
  override readonly name = "SentinelError";
  /** `host:port` of the sentinel. */
  readonly address: string;

  constructor(address: string, cause: Error) {
    super(`Cannot ask sentinel ${address}`, { cause });
    this.address = address;
  }
}
