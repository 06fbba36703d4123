/** A secret, as its row in the database has it. */
export interface Secret {
  /** The owner's identifier; empty unless another program that shares the table set it. */
  readonly userId: string;
  readonly name: string;
  /** The key of GetSecret. */
  readonly secretId: string;
  /** The secret itself: a random UUIDv4 if this service created it. Never logged. */
  readonly secretKey: string;
  /** Unix seconds from which the secret is expired; 0 when it never expires. */
  readonly expires: number;
  /** {@link SECRET_ENABLED}, or another value that an operator has set. */
  readonly status: number;
  readonly description: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** The status of an enabled secret. */
export const SECRET_ENABLED = 1;

/** What SetSecret writes: a new secret, or the fields of an existing one that it replaces. */
export interface SecretChange {
  readonly name: string;
  readonly description: string;
  /** Unix seconds; 0 when the secret never expires. */
  readonly expires: number;
  /** The secretKey of a new row; an existing row keeps its own. */
  readonly newSecretKey: string;
  /** The time of the change, in ms since the Unix epoch. */
  readonly atMs: number;
}

/**
 * Whether a write of `later` right after one of `earlier` leaves no trace of `earlier`: it has all fields that `earlier`
 * has. A field that a change lacks stays as it is in the row. No reader has seen the `newSecretKey` of a covered change.
 */
export function covers<C extends object>(later: C, earlier: C): boolean {
  return Object.entries(earlier).every(([field, value]) => {
    return value === undefined || Reflect.get(later, field) !== undefined;
  });
}

/** A secret's expiry in ms since the Unix epoch; Infinity when it never expires. */
export function secretExpiresAtMs(secret: { readonly expires: number }): number {
  return secret.expires === 0 ? Infinity : secret.expires * 1000;
}
