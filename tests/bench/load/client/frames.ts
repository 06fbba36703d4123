/** The frames of HTTP/2 that a gRPC client needs. Source: RFC 9113 sections 4 and 6. */

export const FrameType = {
  DATA: 0x00,
  HEADERS: 0x01,
  RST_STREAM: 0x03,
  SETTINGS: 0x04,
  PING: 0x06,
  GOAWAY: 0x07,
  WINDOW_UPDATE: 0x08,
} as const;

export const Flag = { ACK: 0x01, END_STREAM: 0x01, END_HEADERS: 0x04, PADDED: 0x08, PRIORITY: 0x20 } as const;

export const Setting = { HEADER_TABLE_SIZE: 0x1, ENABLE_PUSH: 0x2, INITIAL_WINDOW_SIZE: 0x4 } as const;

/** RFC 9113 section 4.1. */
export const FRAME_HEADER_BYTES = 9;

/** A frame as it was received. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** A view, valid until the reader is next asked for room. */
  readonly payload: Uint8Array;
}

/** At least this much is read at once. */
const MIN_ROOM_BYTES = 64 * 1024;

/**
 * Cuts what a socket yields into frames, in one buffer that the socket reads into:
 *
 *     [ frames that were handed out | an incomplete frame | room ]
 *                                   ^at                   ^end
 */
export class FrameReader {
  #bytes = new Uint8Array(2 * MIN_ROOM_BYTES);
  #at = 0;
  #end = 0;

  /** Where the next bytes go; call {@link filled} afterwards. Overwrites the frames that were handed out. */
  room(): Uint8Array {
    const kept = this.#bytes.subarray(this.#at, this.#end);
    const isTight = kept.length + MIN_ROOM_BYTES > this.#bytes.length;
    const bytes = isTight ? new Uint8Array(2 * this.#bytes.length) : this.#bytes;
    if (isTight || this.#at > 0) bytes.set(kept);
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = kept.length;
    return bytes.subarray(this.#end);
  }

  /** Records how much of the room was written. */
  filled(byteCount: number): void {
    this.#end += byteCount;
  }

  /** The next whole frame, or undefined until there are more bytes. */
  next(): Frame | undefined {
    const bytes = this.#bytes;
    const at = this.#at;
    if (this.#end - at < FRAME_HEADER_BYTES) return undefined;
    const length = bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!;
    const end = at + FRAME_HEADER_BYTES + length;
    if (this.#end < end) return undefined;
    this.#at = end;
    return {
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      streamId: readUint32(bytes, at + 5) & 0x7fff_ffff,
      payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
    };
  }
}

/** A frame as it is sent. */
export function encodeFrame(type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(frame, 0, { length: payload.length, type, flags, streamId });
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** Writes a frame's header at `at` and returns where its payload begins. */
export function writeFrameHeader(
  bytes: Uint8Array,
  at: number,
  { length, type, flags, streamId }: Omit<Frame, "payload"> & { readonly length: number },
): number {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  return writeUint32(bytes, at + 5, streamId);
}

/** Writes four bytes, most significant first, and returns where they end. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** A SETTINGS frame. RFC 9113 section 6.5.1. */
export function encodeSettings(settings: readonly (readonly [id: number, value: number])[]): Uint8Array {
  const payload = new DataView(new ArrayBuffer(settings.length * 6));
  settings.forEach(([id, value], index) => {
    payload.setUint16(index * 6, id);
    payload.setUint32(index * 6 + 2, value);
  });
  return encodeFrame(FrameType.SETTINGS, 0, 0, new Uint8Array(payload.buffer));
}

/** The settings of a SETTINGS frame, in order. */
export function* readSettings(payload: Uint8Array): Generator<[id: number, value: number]> {
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    yield [payload[at]! << 8 | payload[at + 1]!, readUint32(payload, at + 2)];
  }
}

/** A WINDOW_UPDATE frame. RFC 9113 section 6.9. */
export function encodeWindowUpdate(streamId: number, increment: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, increment);
  return encodeFrame(FrameType.WINDOW_UPDATE, 0, streamId, payload);
}

/** Four bytes, most significant first. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}
