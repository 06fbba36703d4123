import type { CopyPolicy } from "../cache/copy_policy.ts";

/** What the entries of a namespace may be, and how local memory keeps them. */
export interface NamespacePolicy {
  /** The time to live of an entry whose Set says none, in ms; Infinity: it never expires. */
  readonly defaultTtlMs: number;
  /** The longest time to live, in ms, to which a longer one is cut; Infinity for no limit. */
  readonly maxTtlMs: number;
  /** The most that is taken off a time to live at random, as a share of it, below 1. */
  readonly jitter: number;
  /** Undefined where local memory keeps copies as long as their entries live, and nothing else. */
  readonly copies: CopyPolicy | undefined;
}

/** The policy of every namespace: its own, or the one that all others have. */
export class NamespacePolicies {
  readonly #own: ReadonlyMap<string, NamespacePolicy> | undefined;
  readonly #others: NamespacePolicy;

  constructor(others: NamespacePolicy, own: ReadonlyMap<string, NamespacePolicy> = new Map()) {
    this.#others = others;
    // A look at an empty map would cost each Get the hash of its namespace.
    this.#own = own.size === 0 ? undefined : own;
  }

  /** Whether any namespace has a {@link CopyPolicy}. */
  get useCopies(): boolean {
    return [this.#others, ...this.#own?.values() ?? []].some(({ copies }) => copies !== undefined);
  }

  of(namespace: string): NamespacePolicy {
    return this.#own?.get(namespace) ?? this.#others;
  }
}

/**
 * The time to live of a new entry, in whole ms and more than 0; Infinity when it never expires. Never more than
 * `askedMs`, which is Infinity where the client has asked for none. `random` gives numbers in [0, 1).
 */
export function entryTtlMs(policy: NamespacePolicy, askedMs: number, random: () => number): number {
  const ttlMs = Math.min(askedMs === Infinity ? policy.defaultTtlMs : askedMs, policy.maxTtlMs);
  if (policy.jitter === 0 || ttlMs === Infinity) return ttlMs;
  return ttlMs - Math.floor(ttlMs * policy.jitter * random());
}
