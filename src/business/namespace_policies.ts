import type { CopyPolicy } from "../core/policies.ts";

/** How long the entries of a namespace live, and how local memory keeps them. */
export interface NamespacePolicy {
  /** The time to live of an entry whose Set has none, in ms; Infinity: it never expires. */
  readonly defaultTtlMs: number;
  /** Longer times to live are cut to this, in ms; Infinity for no limit. */
  readonly maxTtlMs: number;
  /** The most that is taken off a time to live at random, as a share of it, below 1. */
  readonly jitter: number;
  /** Undefined: local memory keeps copies as long as their entries live, and remembers no absence. */
  readonly copies: CopyPolicy | undefined;
}

/** The policy of each namespace: its own or the common one. */
export class NamespacePolicies {
  readonly #own: ReadonlyMap<string, NamespacePolicy> | undefined;
  readonly #others: NamespacePolicy;

  constructor(others: NamespacePolicy, own: ReadonlyMap<string, NamespacePolicy> = new Map()) {
    this.#others = others;
    // A lookup in an empty map would still cost each Get the hash of its namespace.
    this.#own = own.size === 0 ? undefined : own;
  }

  of(namespace: string): NamespacePolicy {
    return this.#own?.get(namespace) ?? this.#others;
  }
}

/**
 * The time to live of a new entry, in whole ms and more than 0; Infinity when it never expires. At most `askedMs`, which
 * is Infinity if the client asked for none. `random` gives numbers in [0, 1).
 */
export function entryTtlMs(policy: NamespacePolicy, askedMs: number, random: () => number): number {
  const ttlMs = Math.min(askedMs === Infinity ? policy.defaultTtlMs : askedMs, policy.maxTtlMs);
  if (policy.jitter === 0 || ttlMs === Infinity) return ttlMs;
  return ttlMs - Math.floor(ttlMs * policy.jitter * random());
}
