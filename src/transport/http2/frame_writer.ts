/** Writes frames into an {@link OutputBuffer}. Source: RFC 9113 sections 4.1 and 6. */
import type { OutputBuffer } from "../output_buffer.ts";
import type { ErrorCode } from "./errors.ts";
import { Flag, FRAME_HEADER_BYTES, FrameType, SETTING_BYTES } from "./protocol.ts";

/** Appends a frame's header and reserves room for its payload of `length` octets. */
export function writeFrameHeader(
  out: OutputBuffer,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  out.reserve(FRAME_HEADER_BYTES + length);
  storeFrameHeader(out.bytes, out.length, length, type, flags, streamId);
  out.length += FRAME_HEADER_BYTES;
}

/** Stores a frame's header at `offset`, in room that is already reserved. */
export function storeFrameHeader(
  bytes: Uint8Array,
  offset: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  bytes[offset] = length >>> 16;
  bytes[offset + 1] = length >>> 8;
  bytes[offset + 2] = length;
  bytes[offset + 3] = type;
  bytes[offset + 4] = flags;
  storeUint32(bytes, offset + 5, streamId);
}

/** One entry of a SETTINGS frame. */
export type SettingEntry = readonly [id: number, value: number];

export function writeSettings(out: OutputBuffer, entries: readonly SettingEntry[]): void {
  writeFrameHeader(out, entries.length * SETTING_BYTES, FrameType.SETTINGS, 0, 0);
  for (const [id, value] of entries) {
    out.push(id >>> 8);
    out.push(id & 0xff);
    writeUint32(out, value);
  }
}

export function writeSettingsAck(out: OutputBuffer): void {
  writeFrameHeader(out, 0, FrameType.SETTINGS, Flag.ACK, 0);
}

/** `opaque` is eight octets. */
export function writePing(out: OutputBuffer, opaque: Uint8Array, flags: number): void {
  writeFrameHeader(out, opaque.length, FrameType.PING, flags, 0);
  out.append(opaque);
}

export function writeRstStream(out: OutputBuffer, streamId: number, code: ErrorCode): void {
  writeFrameHeader(out, 4, FrameType.RST_STREAM, 0, streamId);
  writeUint32(out, code);
}

export function writeWindowUpdate(out: OutputBuffer, streamId: number, increment: number): void {
  writeFrameHeader(out, 4, FrameType.WINDOW_UPDATE, 0, streamId);
  writeUint32(out, increment);
}

/** `reason` becomes debug data, for the client's log. */
export function writeGoaway(out: OutputBuffer, lastStreamId: number, code: ErrorCode, reason: string): void {
  const debugData = new TextEncoder().encode(reason);
  writeFrameHeader(out, 8 + debugData.length, FrameType.GOAWAY, 0, 0);
  writeUint32(out, lastStreamId);
  writeUint32(out, code);
  out.append(debugData);
}

function writeUint32(out: OutputBuffer, value: number): void {
  out.reserve(4);
  storeUint32(out.bytes, out.length, value);
  out.length += 4;
}

function storeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}
