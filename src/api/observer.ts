/** What the gRPC surface tells whoever watches it. */
export interface ApiObserver {
  /** A call failed by a mistake of ours; its client got a neutral text. */
  callFailed(path: string, error: unknown): void;
}
