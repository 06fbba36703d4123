/** A secret as its row in the database says it. */
export interface Secret {
  /** The owner's identifier; empty unless another program that shares the table has set it. */
  readonly userId: string;
  readonly name: string;
  /** The key under which the secret is asked for. */
  readonly secretId: string;
  /** The secret itself: a random UUIDv4 for the ones created here. Never logged. */
  readonly secretKey: string;
  /** Unix seconds from which the secret is expired; 0 when it never expires. */
  readonly expires: number;
  /** {@link SECRET_ENABLED}, or another value that an operator has set. */
  readonly status: number;
  readonly description: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** The status of a secret that may be used. */
export const SECRET_ENABLED = 1;

/** What SetSecret says: the whole of a new secret, and the part of an existing one that it replaces. */
export interface SecretChange {
  readonly name: string;
  readonly description: string;
  /** Unix seconds; 0 when the secret never expires. */
  readonly expires: number;
  /** The secretKey that the row gets if the key is new; an existing row keeps its own. */
  readonly newSecretKey: string;
  /** The time of the change, in ms since the Unix epoch. */
  readonly atMs: number;
}

/**
 * Whether a write of `later` right after one of `earlier` leaves nothing of that to be seen: it says all that the
 * earlier one says. What a change leaves out, it leaves as the row has it. A `newSecretKey` that only a covered change
 * would have given is one that no reader has seen.
 */
export function covers<C extends object>(later: C, earlier: C): boolean {
  return Object.entries(earlier).every(([field, value]) => {
    return value === undefined || Reflect.get(later, field) !== undefined;
  });
}

/** A secret's expiry as every tier counts it: ms since the Unix epoch, Infinity when it never expires. */
export function secretExpiresAtMs(secret: { readonly expires: number }): number {
  return secret.expires === 0 ? Infinity : secret.expires * 1000;
}
