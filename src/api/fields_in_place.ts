/**
 * Fields of messages that are written where they are to be, see MessageWriter: first their length is asked for, then
 * they are written. For the responses that most calls are answered with; all others are ProtobufWriter's. Fields have
 * numbers below 16, whose tags take one byte, and are left out where they have their default value.
 */
import { WireType } from "./protobuf_reader.ts";
import { varintBytes, writeVarint } from "./protobuf_writer.ts";
import { textLength, writeText } from "./utf8_text.ts";

/** Field numbers that Duration and Timestamp share. */
const SECONDS = 1;
const NANOS = 2;

/** How many bytes a string field takes. */
export function textFieldLength(value: string): number {
  return value === "" ? 0 : lengthDelimitedLength(textLength(value));
}

/** Writes a string field at `at`, and returns where it ends. */
export function writeTextField(field: number, value: string, bytes: Uint8Array, at: number): number {
  if (value === "") return at;
  return writeText(value, bytes, writeLength(field, textLength(value), bytes, at));
}

/** How many bytes an int64 or int32 field takes. */
export function integerFieldLength(value: number): number {
  return value === 0 ? 0 : 1 + varintBytes(value);
}

/** Writes an int64 or int32 field at `at`, and returns where it ends. */
export function writeIntegerField(field: number, value: number, bytes: Uint8Array, at: number): number {
  if (value === 0) return at;
  bytes[at] = field << 3 | WireType.VARINT;
  return writeVarint(bytes, at + 1, value);
}

/** How many bytes a length-delimited field takes whose value takes `valueLength`. */
export function lengthDelimitedLength(valueLength: number): number {
  return 1 + varintBytes(valueLength) + valueLength;
}

/** Writes what stands before a value of this length at `at`, and returns where the value begins. */
export function writeLength(field: number, valueLength: number, bytes: Uint8Array, at: number): number {
  bytes[at] = field << 3 | WireType.LENGTH_DELIMITED;
  return writeVarint(bytes, at + 1, valueLength);
}

/** How many bytes a field takes that is the time `ms` as a Duration, or since the Unix epoch as a Timestamp. */
export function timeFieldLength(ms: number): number {
  return lengthDelimitedLength(timeLength(ms));
}

/** Writes such a field at `at`, and returns where it ends. */
export function writeTimeField(field: number, ms: number, bytes: Uint8Array, at: number): number {
  const secondsAt = writeLength(field, timeLength(ms), bytes, at);
  const nanosAt = writeIntegerField(SECONDS, secondsOf(ms), bytes, secondsAt);
  return writeIntegerField(NANOS, nanosOf(ms), bytes, nanosAt);
}

function timeLength(ms: number): number {
  return integerFieldLength(secondsOf(ms)) + integerFieldLength(nanosOf(ms));
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/** From 0, also before 1970. */
function nanosOf(ms: number): number {
  return (ms - secondsOf(ms) * 1000) * 1e6;
}
