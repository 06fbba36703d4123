import type { Chain } from "../cache/chain.ts";
import type { Clock } from "../core/clock.ts";
import { type Entry, type EntryChange, isExpired } from "../core/entry.ts";
import type { Violation } from "../core/errors.ts";
import { type CacheKey, cacheKey } from "../core/key.ts";
import type { Caller } from "../core/ports.ts";
import { isAcceptable, MAX_KEY_BYTES, MAX_TYPE_URL_BYTES, NAMESPACE_LIMIT } from "../core/limits.ts";
import { smallCopy } from "../core/small_copy.ts";
import { entryTtlMs, type NamespacePolicies } from "./namespace_policies.ts";
import { type Duration, timeToLiveMs } from "./time_to_live.ts";
import { checkField, quoted, rejectIfInvalid } from "./validation.ts";

/** A `google.protobuf.Any` of any type. */
export interface AnyValue {
  readonly typeUrl: string;
  /** The size of its payload, `Any.value`. */
  readonly payloadBytes: number;
  /** The whole message, encoded; may be a view into a larger buffer. */
  readonly encoded: Uint8Array;
}

/** Names an entry. `violations` holds what the surface has already found wrong with the request. */
export interface EntryName {
  readonly namespace: string;
  readonly key: string;
  readonly violations: readonly Violation[];
}

/** What Set is asked to store. */
export interface NewEntry extends EntryName {
  readonly value: AnyValue | undefined;
  /** Absent: the namespace's policy decides. */
  readonly expire: Duration | undefined;
}

const KEY = { min: 1, max: MAX_KEY_BYTES, unit: "bytes" } as const;
const TYPE_URL = { min: 1, max: MAX_TYPE_URL_BYTES, unit: "bytes" } as const;

/** The most that an Any takes besides its payload: its type URL, and two tags and lengths. */
const MAX_ANY_OVERHEAD_BYTES = MAX_TYPE_URL_BYTES + 32;

export interface NamespacesOptions {
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly maxValueBytes: number;
  readonly policies: NamespacePolicies;
}

/** The rules for namespaced entries. The chain stores them. */
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
   * What `respond` makes of the entry, its value an encoded Any, or of undefined when there is none. A promise, unless
   * local memory answers.
   */
  get<T>(
    name: EntryName,
    caller: Caller,
    respond: (entry: Entry<Uint8Array> | undefined) => T,
  ): T | Promise<T> {
    const { copies } = this.#policies.of(name.namespace);
    const served = (entry: Entry<Uint8Array> | undefined) =>
      respond(entry === undefined || isExpired(entry, this.#clock) ? undefined : entry);
    return this.#chain.get(checkedKey("get", name), caller, served, copies);
  }

  /** Stores a copy of the value, for at most the time that the namespace allows. */
  async set(entry: NewEntry, caller: Caller): Promise<void> {
    const violations = [...entry.violations];
    checkName(violations, entry);
    this.#checkValue(violations, entry.value);
    const askedMs = timeToLiveMs(violations, "expire", entry.expire);
    rejectIfInvalid(() => `set ${describeEntry(entry)}`, violations);
    // A copy, because the transport reuses the request's buffer.
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
    // An Any is stored as it came, so unknown and repeated fields count too.
    const maxBytes = Math.max(this.#maxValueBytes, value.payloadBytes) + MAX_ANY_OVERHEAD_BYTES;
    if (value.encoded.length > maxBytes) {
      violations.push({
        field: "value",
        description: `is ${value.encoded.length} bytes when encoded, expected at most ${maxBytes}`,
      });
    }
  }
}

/** How errors name an entry. */
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
