/** The rules of RFC 9113 section 6 for single frames, without state. Each function throws when its rule is broken. */
import { ConnectionError, ErrorCode } from "./errors.ts";

/** Octets of the priority fields of RFC 9113 section 5.3.2 in HEADERS, and of a PRIORITY frame. */
export const PRIORITY_BYTES = 5;

export function requireLength(actual: number, expected: number, frame: string): void {
  if (actual === expected) return;
  throw new ConnectionError(
    ErrorCode.FRAME_SIZE_ERROR,
    `${frame} is ${actual} octets, expected ${expected}`,
  );
}

export function requireStream(streamId: number, frame: string): void {
  if (streamId === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `${frame} on stream 0`);
}

export function requireNoStream(streamId: number, frame: string): void {
  if (streamId !== 0) {
    throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `${frame} on stream ${streamId}, expected stream 0`);
  }
}

/** Octets of padding at the end of a padded payload `bytes[start..end)`, as its first octet says. */
export function paddingLength(bytes: Uint8Array, start: number, end: number): number {
  const length = start < end ? bytes[start]! : Infinity;
  if (length < end - start) return length;
  throw start < end
    ? new ConnectionError(ErrorCode.PROTOCOL_ERROR, "padding exceeds the frame")
    : new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "padded frame is empty");
}

/** Whether the priority fields at `start` make a stream depend on itself. The rest of them is ignored. */
export function isSelfDependent(streamId: number, bytes: Uint8Array, start: number): boolean {
  return (readUint32(bytes, start) & 0x7fffffff) === streamId;
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) |
    bytes[offset + 3]!) >>> 0;
}
