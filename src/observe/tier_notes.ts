/** What a line about a tier says beside what has happened. */
export interface TierNotes {
  /** Where the store is: `127.0.0.1:6379`, or the absolute path of a file. */
  readonly address: string;
  /** The keys of the configuration to check after this error: `data.redis.password`; undefined where none is to blame. */
  keysOf(error: unknown): string | undefined;
}
