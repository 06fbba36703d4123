/** What the gRPC surface tells whoever watches it. */
export interface ApiObserver {
  /** A call failed by a mistake of ours; its client got a neutral text. */
  callFailed(path: string, error: unknown): void;
  /** Watches calls one by one; absent where no one does, so that calls cost no more. */
  readonly calls?: CallWatcher | undefined;
}

/** Watches each call from its request to its answer. */
export interface CallWatcher {
  /** Runs `handle`, which calls `ended` with the name of the call's gRPC status. */
  watch(path: string, handle: (ended: (status: string) => void) => void): void;
}
