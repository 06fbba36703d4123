import type { Secret } from "../core/secret.ts";
import { textBytes } from "./text_bytes.ts";

/** The object with its numbers, and the headers of its texts. */
const SECRET_OVERHEAD_BYTES = 280;

/** What a secret takes in memory. */
export function secretBytes({ userId, name, secretId, secretKey, description }: Secret): number {
  return SECRET_OVERHEAD_BYTES + textBytes(userId) + textBytes(name) + textBytes(secretId) +
    textBytes(secretKey) + textBytes(description);
}
