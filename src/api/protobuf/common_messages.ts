/** google.protobuf.Duration, Timestamp and Empty, which both kinds of messages use. */
import type { Duration } from "../../business/time_to_live.ts";
import { ProtobufReader, WireType } from "./reader.ts";
import type { ProtobufWriter } from "./writer.ts";

/** The one encoding of google.protobuf.Empty. */
export const EMPTY = new Uint8Array(0);

/** Field numbers that Duration and Timestamp share. */
const SECONDS = 1;
const NANOS = 2;

/**
 * Reads a Duration. A message that occurs twice in its parent is merged field by field, the last one wins:
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

/** Writes the fields of the time `ms` (0 or more) as a Duration; since the Unix epoch, as a Timestamp. */
export function writeMilliseconds(message: ProtobufWriter, ms: number): void {
  const seconds = Math.floor(ms / 1000);
  message.integer(SECONDS, seconds).integer(NANOS, (ms - seconds * 1000) * 1e6);
}
