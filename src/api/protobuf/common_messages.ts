/** What the messages of entries and of secrets share: Duration, Timestamp, Empty, and texts that are not UTF-8. */
import type { Duration } from "../../business/time_to_live.ts";
import type { Violation } from "../../core/errors.ts";
import { ProtobufReader, WireType } from "./reader.ts";
import type { ProtobufWriter } from "./writer.ts";

/** The one encoding of google.protobuf.Empty. */
export const EMPTY = new Uint8Array(0);

/** Field numbers that Duration and Timestamp share. */
const SECONDS = 1;
const NANOS = 2;

/**
 * Reads a Duration. If a message occurs twice in its parent, protobuf merges them field by field and the later field wins;
 * `before` is the earlier occurrence.
 */
export function decodeDuration(bytes: Uint8Array, before?: Duration): Duration {
  const reader = new ProtobufReader(bytes);
  let seconds = before?.seconds ?? 0;
  let nanos = before?.nanos ?? 0;
  while (reader.next()) {
    if (reader.is(SECONDS, WireType.VARINT)) seconds = reader.integer();
    else if (reader.is(NANOS, WireType.VARINT)) nanos = reader.integer() | 0;
    else reader.skip();
  }
  return { seconds, nanos };
}

/** Writes the fields of a Duration of `ms` (0 or more), or of the Timestamp `ms` after the Unix epoch. */
export function writeMilliseconds(message: ProtobufWriter, ms: number): void {
  const seconds = Math.floor(ms / 1000);
  message.integer(SECONDS, seconds).integer(NANOS, (ms - seconds * 1000) * 1e6);
}

/** The violations of a good request; shared, so that it costs no list. */
export const NO_VIOLATIONS: readonly Violation[] = Object.freeze([]);

/** A violation for each field, by name, whose bytes were not UTF-8. */
export function malformedText(fields: Readonly<Record<string, string | undefined>>): Violation[] {
  const violations: Violation[] = [];
  for (const field in fields) {
    if (fields[field] === undefined) violations.push({ field, description: "is not valid UTF-8" });
  }
  return violations;
}
