import { ServiceError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * A secret as JSON text, which Redis stores as UTF-8. Text, because ioredis joins a command of texts at once but one with
 * bytes piece by piece.
 */
export function encodeSecret(secret: Secret): string {
  return JSON.stringify(secret);
}

/** Reads the text of {@link encodeSecret}. Throws `internal` for anything else, without quoting it. */
export function decodeSecret(bytes: Uint8Array): Secret {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(bytes));
  } catch {
    throw new ServiceError("internal", "Cannot read a secret in Redis: not JSON");
  }
  if (!isSecret(parsed)) {
    throw new ServiceError("internal", "Cannot read a secret in Redis: fields are missing");
  }
  return parsed;
}

const FIELDS = {
  userId: "string",
  name: "string",
  secretId: "string",
  secretKey: "string",
  expires: "number",
  status: "number",
  description: "string",
  createdAtMs: "number",
  updatedAtMs: "number",
} as const satisfies Record<keyof Secret, "string" | "number">;

const FIELD_TYPES = Object.entries(FIELDS);

function isSecret(value: unknown): value is Secret {
  return typeof value === "object" && value !== null &&
    FIELD_TYPES.every(([field, type]) => typeof Reflect.get(value, field) === type);
}
