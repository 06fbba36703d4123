import type { Chain } from "../cache/chain.ts";
import type { CopyPolicy } from "../core/policies.ts";
import type { Clock } from "../core/clock.ts";
import { type Entry, isExpired } from "../core/entry.ts";
import type { ErrorCode, Violation } from "../core/errors.ts";
import { type CacheKey, secretCacheKey } from "../core/key.ts";
import type { Caller } from "../core/ports.ts";
import { type Secret, SECRET_ENABLED, type SecretChange } from "../core/secret.ts";
import {
  isAcceptable,
  MAX_SECRET_DESCRIPTION_CHARACTERS,
  MAX_SECRET_KEY_BYTES,
  MAX_SECRET_NAME_CHARACTERS,
} from "../core/limits.ts";
import { type Duration, timeToLiveMs } from "./time_to_live.ts";
import { checkField, quoted, rejectIfInvalid } from "./validation.ts";

/** Names a secret. `violations` holds what the surface has already found wrong with the request. */
export interface SecretName {
  readonly key: string;
  readonly violations: readonly Violation[];
}

/** What SetSecret is asked to store. */
export interface NewSecret extends SecretName {
  readonly name: string;
  readonly description: string;
  /** Absent: the secret never expires. */
  readonly expire: Duration | undefined;
}

/** Why GetSecret finds no usable secret under a key. */
export type SecretAbsence = Extract<ErrorCode, "secret_not_found" | "secret_expired" | "secret_disabled">;

const KEY = { min: 1, max: MAX_SECRET_KEY_BYTES, unit: "bytes" } as const;
const NAME = { min: 1, max: MAX_SECRET_NAME_CHARACTERS, unit: "characters" } as const;
const DESCRIPTION = { min: 0, max: MAX_SECRET_DESCRIPTION_CHARACTERS, unit: "characters" } as const;

export interface SecretsOptions {
  readonly clock: Clock;
  /** Makes a fresh random UUIDv4. */
  readonly newSecretKey: () => string;
  /** Undefined: local memory keeps secrets as long as they live, and remembers no absence. */
  readonly copies: CopyPolicy | undefined;
}

/** The rules for secrets. The chain stores them. */
export class Secrets {
  readonly #chain: Chain<Secret, SecretChange>;
  readonly #clock: Clock;
  readonly #newSecretKey: () => string;
  readonly #copies: CopyPolicy | undefined;

  constructor(chain: Chain<Secret, SecretChange>, options: SecretsOptions) {
    this.#chain = chain;
    this.#clock = options.clock;
    this.#newSecretKey = options.newSecretKey;
    this.#copies = options.copies;
  }

  /**
   * What `respond` makes of the secret, or of the reason why there is none. A promise, unless local memory answers.
   */
  get<T>(name: SecretName, caller: Caller, respond: (found: Secret | SecretAbsence) => T): T | Promise<T> {
    const served = (entry: Entry<Secret> | undefined) => respond(this.#served(entry));
    return this.#chain.get(checkedKey("get", name), caller, served, this.#copies);
  }

  /**
   * Creates the secret, or changes an existing one's name, description and expiry. Does neither if the caller leaves
   * while the change waits for another change of the secret.
   */
  async set(secret: NewSecret, caller: Caller): Promise<void> {
    const violations = [...secret.violations];
    checkField(violations, "key", secret.key, KEY);
    checkField(violations, "name", secret.name, NAME);
    checkField(violations, "description", secret.description, DESCRIPTION);
    const ttlMs = timeToLiveMs(violations, "expire", secret.expire);
    rejectIfInvalid(() => `set ${describeSecret(secret)}`, violations);
    const atMs = this.#clock.now();
    await this.#chain.set(secretCacheKey(secret.key), caller, {
      name: secret.name,
      description: secret.description,
      expires: ttlMs === Infinity ? 0 : Math.ceil((atMs + ttlMs) / 1000),
      newSecretKey: this.#newSecretKey(),
      atMs,
    }, this.#copies);
  }

  /** Deletes the secret, there or not; otherwise as {@link set}. */
  async delete(name: SecretName, caller: Caller): Promise<void> {
    await this.#chain.delete(checkedKey("delete", name), caller);
  }

  #served(entry: Entry<Secret> | undefined): Secret | SecretAbsence {
    if (entry === undefined) return "secret_not_found";
    if (isExpired(entry, this.#clock)) return "secret_expired";
    return entry.value.status === SECRET_ENABLED ? entry.value : "secret_disabled";
  }
}

/** How errors name a secret. */
export function describeSecret(name: { readonly key: string }): string {
  return `secret ${quoted(name.key)}`;
}

function checkedKey(verb: string, name: SecretName): CacheKey {
  if (name.violations.length > 0 || !isAcceptable(name.key, KEY)) {
    const violations = [...name.violations];
    checkField(violations, "key", name.key, KEY);
    rejectIfInvalid(() => `${verb} ${describeSecret(name)}`, violations);
  }
  return secretCacheKey(name.key);
}
