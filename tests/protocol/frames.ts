/** Frames that tests write and read by hand, without the transport's own code. */

/** A frame as a client receives it. */
export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

export const PREFACE: Uint8Array = ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Octets of printable text. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

/** A frame with a payload of any octets. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | readonly number[] = [],
): Uint8Array {
  const length = payload.length;
  const result = new Uint8Array(9 + length);
  result.set([length >>> 16, (length >>> 8) & 255, length & 255, type, flags, ...uint32(streamId)]);
  result.set(payload, 9);
  return result;
}

export function settings(...entries: readonly (readonly [id: number, value: number])[]): Uint8Array {
  return frame(4, 0, 0, entries.flatMap(([id, value]) => [id >>> 8, id & 255, ...uint32(value)]));
}

export function data(streamId: number, payload: Uint8Array | readonly number[], flags = 0): Uint8Array {
  return frame(0, flags, streamId, payload);
}

export function windowUpdate(streamId: number, increment: number): Uint8Array {
  return frame(8, 0, streamId, uint32(increment));
}

export function rstStream(streamId: number, code = 8): Uint8Array {
  return frame(3, 0, streamId, uint32(code));
}

export function ping(opaque = "12345678"): Uint8Array {
  return frame(6, 0, 0, ascii(opaque));
}

/** A header block of literals that touch no table (RFC 7541 section 6.2.2). Strings have up to 4 KiB. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Uint8Array {
  return concat(...fields.map(([name, value]) => concat([0], literal(name), literal(value))));
}

function literal(text: string): Uint8Array {
  const rest = text.length - 127;
  const length = rest < 0 ? [text.length] : rest < 128 ? [127, rest] : [127, (rest & 127) | 128, rest >>> 7];
  return concat(length, ascii(text));
}

/** A HEADERS frame with a whole block; not the last frame of its stream unless `flags` say so. */
export function headers(
  streamId: number,
  fields: readonly (readonly [name: string, value: string])[],
  flags = 0x4,
): Uint8Array {
  return frame(1, flags, streamId, headerBlock(fields));
}

/** A gRPC message with its prefix. */
export function message(payload: Uint8Array | string, flag = 0): Uint8Array {
  const bytes = typeof payload === "string" ? ascii(payload) : payload;
  return concat([flag], uint32(bytes.length), bytes);
}

/** Cuts a server's octets into frames. Returns the octets of an incomplete frame as `rest`. */
export function parseFrames(bytes: Uint8Array): { frames: ReceivedFrame[]; rest: Uint8Array } {
  const frames: ReceivedFrame[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (bytes.length - offset >= 9) {
    const end = offset + 9 + (view.getUint32(offset) >>> 8);
    if (end > bytes.length) break;
    frames.push({
      type: bytes[offset + 3]!,
      flags: bytes[offset + 4]!,
      streamId: view.getUint32(offset + 5),
      payload: bytes.slice(offset + 9, end),
    });
    offset = end;
  }
  return { frames, rest: bytes.slice(offset) };
}
