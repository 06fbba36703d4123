/** The messages of proto/cacheserver/v1/namespaced.proto. */
import type { AnyValue, EntryName, NewEntry } from "../../business/namespaces.ts";
import type { Duration } from "../../business/time_to_live.ts";
import type { Violation } from "../../core/errors.ts";
import type { MessageWriter } from "../../transport/service.ts";
import { decodeDuration, malformedText, NO_VIOLATIONS } from "./common_messages.ts";
import { ProtobufReader, WireType } from "./reader.ts";
import { varintBytes, writeVarint } from "./writer.ts";

const Field = { NAMESPACE: 1, KEY: 2, VALUE: 3, EXPIRE: 4 } as const;
const AnyField = { TYPE_URL: 1, VALUE: 2 } as const;

/** Tags of GetResponse and of the Duration in it: field number and wire type in one byte. */
const VALUE_TAG = 1 << 3 | WireType.LENGTH_DELIMITED;
const EXPIRE_TAG = 2 << 3 | WireType.LENGTH_DELIMITED;
const SECONDS_TAG = 1 << 3 | WireType.VARINT;
const NANOS_TAG = 2 << 3 | WireType.VARINT;

/** GetRequest and DelRequest. */
export function decodeEntryName(bytes: Uint8Array): EntryName {
  const reader = new ProtobufReader(bytes);
  let namespace: string | undefined = "";
  let key: string | undefined = "";
  while (reader.next()) {
    if (reader.is(Field.NAMESPACE, WireType.LENGTH_DELIMITED)) namespace = reader.text();
    else if (reader.is(Field.KEY, WireType.LENGTH_DELIMITED)) key = reader.text();
    else reader.skip();
  }
  if (namespace !== undefined && key !== undefined) return { namespace, key, violations: NO_VIOLATIONS };
  return { namespace: namespace ?? "", key: key ?? "", violations: malformedText({ namespace, key }) };
}

/** SetRequest. The value is a view into `bytes`, unless the client wrote it in several pieces. */
export function decodeSetRequest(bytes: Uint8Array): NewEntry {
  const reader = new ProtobufReader(bytes);
  let namespace: string | undefined = "";
  let key: string | undefined = "";
  let any: Uint8Array | undefined;
  let expire: Duration | undefined;
  while (reader.next()) {
    if (reader.is(Field.NAMESPACE, WireType.LENGTH_DELIMITED)) namespace = reader.text();
    else if (reader.is(Field.KEY, WireType.LENGTH_DELIMITED)) key = reader.text();
    else if (reader.is(Field.VALUE, WireType.LENGTH_DELIMITED)) any = merged(any, reader.bytes());
    else if (reader.is(Field.EXPIRE, WireType.LENGTH_DELIMITED)) {
      expire = decodeDuration(reader.bytes(), expire);
    } else reader.skip();
  }
  const violations: Violation[] = malformedText({ namespace, key });
  const value = any === undefined ? undefined : decodeAny(violations, any);
  return { namespace: namespace ?? "", key: key ?? "", violations, value, expire };
}

/** GetResponse. */
export interface FoundEntry {
  /** The stored Any, encoded; may be a view into a larger buffer. */
  readonly any: Uint8Array;
  /** Infinity when the entry never expires. */
  readonly timeLeftMs: number;
}

/**
 * Writes a GetResponse: the stored Any, then the time left, which is absent if it is Infinity.
 *
 *     0A <length> <the Any, as it was stored> 12 <length> [08 <seconds>] [10 <nanos>]
 */
export const getResponseWriter: MessageWriter<FoundEntry> = {
  byteLength({ any, timeLeftMs }: FoundEntry): number {
    const anyBytes = 1 + varintBytes(any.length) + any.length;
    return timeLeftMs === Infinity ? anyBytes : anyBytes + 2 + durationBytes(timeLeftMs);
  },

  write({ any, timeLeftMs }: FoundEntry, bytes: Uint8Array, at: number): void {
    const anyAt = writeAnyTag(bytes, at, any);
    bytes.set(any, anyAt);
    if (timeLeftMs !== Infinity) writeExpire(bytes, anyAt + any.length, timeLeftMs);
  },

  pieces({ any, timeLeftMs }: FoundEntry): Uint8Array[] {
    const tag = new Uint8Array(1 + varintBytes(any.length));
    writeAnyTag(tag, 0, any);
    // Output that waits for a slow client is limited by its length: do not keep a much larger buffer alive.
    const held = 2 * any.length >= any.buffer.byteLength ? any : any.slice();
    if (timeLeftMs === Infinity) return [tag, held];
    const expire = new Uint8Array(2 + durationBytes(timeLeftMs));
    writeExpire(expire, 0, timeLeftMs);
    return [tag, held, expire];
  },
};

/** Returns the start of the Any. */
function writeAnyTag(bytes: Uint8Array, at: number, any: Uint8Array): number {
  bytes[at] = VALUE_TAG;
  return writeVarint(bytes, at + 1, any.length);
}

function writeExpire(bytes: Uint8Array, at: number, ms: number): void {
  bytes[at] = EXPIRE_TAG;
  bytes[at + 1] = durationBytes(ms);
  writeDuration(bytes, at + 2, ms);
}

function durationBytes(ms: number): number {
  const seconds = Math.floor(ms / 1000);
  const nanos = (ms - seconds * 1000) * 1e6;
  return (seconds === 0 ? 0 : 1 + varintBytes(seconds)) + (nanos === 0 ? 0 : 1 + varintBytes(nanos));
}

function writeDuration(bytes: Uint8Array, at: number, ms: number): void {
  const seconds = Math.floor(ms / 1000);
  const nanos = (ms - seconds * 1000) * 1e6;
  if (seconds !== 0) {
    bytes[at] = SECONDS_TAG;
    at = writeVarint(bytes, at + 1, seconds);
  }
  if (nanos !== 0) {
    bytes[at] = NANOS_TAG;
    writeVarint(bytes, at + 1, nanos);
  }
}

/** Two occurrences of an embedded message are one message; its encoding is theirs, concatenated. */
function merged(before: Uint8Array | undefined, more: Uint8Array): Uint8Array {
  if (before === undefined) return more;
  const joined = new Uint8Array(before.length + more.length);
  joined.set(before);
  joined.set(more, before.length);
  return joined;
}

function decodeAny(violations: Violation[], encoded: Uint8Array): AnyValue {
  const reader = new ProtobufReader(encoded);
  let typeUrl: string | undefined = "";
  let payloadBytes = 0;
  while (reader.next()) {
    if (reader.is(AnyField.TYPE_URL, WireType.LENGTH_DELIMITED)) typeUrl = reader.text();
    else if (reader.is(AnyField.VALUE, WireType.LENGTH_DELIMITED)) payloadBytes = reader.bytes().length;
    else reader.skip();
  }
  violations.push(...malformedText({ "value.type_url": typeUrl }));
  return { typeUrl: typeUrl ?? "", payloadBytes, encoded };
}
