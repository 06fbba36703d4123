/** A connection to one sentinel failed. The master may be there all the same, and other sentinels may know it. */
export class SentinelError extends Error {
  override readonly name = "SentinelError";
  /** `host:port` of the sentinel. */
  readonly address: string;

  constructor(address: string, cause: Error) {
    super(`Cannot ask sentinel ${address}`, { cause });
    this.address = address;
  }
}
