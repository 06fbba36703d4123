/** What the embedded database tells its observer; must not throw. */
export interface SqliteObserver {
  /** Rows that should go could not be removed. Told once, until it has worked again. */
  purgeFailed(error: unknown): void;
}
