import type { Chain } from "../cache/chain.ts";
import type { Clock } from "../core/clock.ts";
import { type Entry, isExpired } from "../core/entry.ts";
import type { EntryChange } from "../core/entry_change.ts";
import type { Violation } from "../core/errors.ts";
import { type CacheKey, cacheKey } from "../core/key.ts";
import type { Caller } from "../core/ports.ts";
import { isAcceptable, MAX_KEY_BYTES, MAX_TYPE_URL_BYTES, NAMESPACE_LIMIT } from "../core/limits.ts";
import { smallCopy } from "../core/small_copy.ts";
import { entryTtlMs, type NamespacePolicies } from "./namespace_policies.ts";
import { type Duration, timeToLiveMs } from "./time_to_live.ts";
import { checkField, quoted, rejectIfInvalid } from "./validation.ts";

/** A `google.protobuf.Any` whose type nobody here needs to know. */
export interface AnyValue {
  readonly typeUrl: string;
  /** The size of its payload, `Any.value`. */
  readonly payloadBytes: number;
  /** The whole message, encoded; may be a view into a larger buffer. */
  readonly encoded: Uint8Array;
}

/** Which entry. `violations` holds what was already found wrong with the request on its way here. */
export interface EntryName {
  readonly namespace: string;
  readonly key: string;
  readonly violations: readonly Violation[];
}

/** What Set is asked to store. */
export interface NewEntry extends EntryName {
  readonly value: AnyValue | undefined;
  /** Absent: the entry lives as long as its namespace says. */
  readonly expire: Duration | undefined;
}

/** The longest that texts may be. */
const KEY = { min: 1, max: MAX_KEY_BYTES, unit: "bytes" } as const;
const TYPE_URL = { min: 1, max: MAX_TYPE_URL_BYTES, unit: "bytes" } as const;

/** The most that an Any takes beside its payload: its type URL, and two tags and lengths. */
const MAX_ANY_OVERHEAD_BYTES = MAX_TYPE_URL_BYTES + 32;

/** What {@link Namespaces} goes by. */
export interface NamespacesOptions {
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly maxValueBytes: number;
  readonly policies: NamespacePolicies;
}

/** What a namespaced entry is and may be; where it is kept is the chain's matter. */
export class Namespaces {
  readonly #chain: Chain<Uint8Array, EntryChange>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #maxValueBytes: number;
  readonly #policies: NamespacePolicies;

  constructor(chain: Chain<Uint8Array, EntryChange>, options: NamespacesOptions) {
    this.#chain = chain;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#maxValueBytes = options.maxValueBytes;
    this.#policies = options.policies;
  }

  /**
   * What `answer` makes of the entry, its value an encoded Any, or of undefined when there is none; a promise of it
   * unless local memory has it.
   */
  get<T>(
    name: EntryName,
    caller: Caller,
    answer: (entry: Entry<Uint8Array> | undefined) => T,
  ): T | Promise<T> {
    const { copies } = this.#policies.of(name.namespace);
    const served = (entry: Entry<Uint8Array> | undefined) =>
      answer(entry === undefined || isExpired(entry, this.#clock) ? undefined : entry);
    return this.#chain.get(checkedKey("get", name), caller, served, copies);
  }

  /** Stores a copy of the value, for no longer than the namespace allows. */
  async set(entry: NewEntry, caller: Caller): Promise<void> {
    const violations = [...entry.violations];
    checkName(violations, entry);
    this.#checkValue(violations, entry.value);
    const askedMs = timeToLiveMs(violations, "expire", entry.expire);
    rejectIfInvalid(() => `set ${describeEntry(entry)}`, violations);
    // The request's buffer is the transport's.
    const value = smallCopy(entry.value!.encoded);
    const policy = this.#policies.of(entry.namespace);
    const expiresAtMs = this.#clock.now() + entryTtlMs(policy, askedMs, this.#random);
    const key = cacheKey(entry.namespace, entry.key);
    await this.#chain.set(key, caller, { value, expiresAtMs }, policy.copies);
  }

  /** Deletes the entry, there or not. */
  async delete(name: EntryName, caller: Caller): Promise<void> {
    await this.#chain.delete(checkedKey("delete", name), caller);
  }

  #checkValue(violations: Violation[], value: AnyValue | undefined): void {
    if (value === undefined) {
      violations.push({ field: "value", description: "is absent, expected a google.protobuf.Any" });
      return;
    }
    checkField(violations, "value.type_url", value.typeUrl, TYPE_URL);
    if (value.payloadBytes > this.#maxValueBytes) {
      violations.push({
        field: "value.value",
        description: `is ${value.payloadBytes} bytes, expected at most ${this.#maxValueBytes}`,
      });
    }
    // Stored as it came, with fields that an Any does not have or that occur again: none gets round the limit.
    const maxBytes = Math.max(this.#maxValueBytes, value.payloadBytes) + MAX_ANY_OVERHEAD_BYTES;
    if (value.encoded.length > maxBytes) {
      violations.push({
        field: "value",
        description: `is ${value.encoded.length} bytes when encoded, expected at most ${maxBytes}`,
      });
    }
  }
}

/** How an entry is called in an error. */
export function describeEntry(name: { readonly namespace: string; readonly key: string }): string {
  return `key ${quoted(name.key)} of namespace ${quoted(name.namespace)}`;
}

function checkedKey(verb: string, name: EntryName): CacheKey {
  const { namespace, key, violations } = name;
  if (violations.length > 0 || !isAcceptable(namespace, NAMESPACE_LIMIT) || !isAcceptable(key, KEY)) {
    const all = [...violations];
    checkName(all, name);
    rejectIfInvalid(() => `${verb} ${describeEntry(name)}`, all);
  }
  return cacheKey(namespace, key);
}

function checkName(violations: Violation[], name: EntryName): void {
  checkField(violations, "namespace", name.namespace, NAMESPACE_LIMIT);
  checkField(violations, "key", name.key, KEY);
}
