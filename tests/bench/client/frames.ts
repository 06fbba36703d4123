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
  /** A view that is valid until the next chunk is pushed. */
  readonly payload: Uint8Array;
}

/** Cuts what a socket yields into frames. */
export class FrameReader {
  #bytes = new Uint8Array();
  #at = 0;

  /** Takes a chunk; its bytes may be overwritten once {@link next} has returned undefined. */
  push(chunk: Uint8Array): void {
    if (this.#at === this.#bytes.length) this.#bytes = chunk.slice();
    else this.#bytes = concatenated([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** The next whole frame, or undefined until more is pushed. */
  next(): Frame | undefined {
    const bytes = this.#bytes;
    const at = this.#at;
    if (bytes.length - at < FRAME_HEADER_BYTES) return undefined;
    const length = bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!;
    const end = at + FRAME_HEADER_BYTES + length;
    if (bytes.length < end) return undefined;
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
  const view = new DataView(frame.buffer);
  view.setUint8(0, payload.length >> 16);
  view.setUint16(1, payload.length & 0xffff);
  view.setUint8(3, type);
  view.setUint8(4, flags);
  view.setUint32(5, streamId);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
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

/** What a SETTINGS frame says, in its order. */
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

/** One array of several. */
export function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
