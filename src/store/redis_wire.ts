import { Buffer } from "node:buffer";
import type { PrefixedBytes } from "./redis_commands.ts";

/** What stands in a command as it is sent. */
export type WireArgument = string | number | Uint8Array | PrefixedBytes;

/**
 * A command as it goes on the wire: text, or bytes where it has any. ioredis puts the latter together from five pieces
 * an argument, each measured twice and copied by itself, which takes a fifth of a Set; here all text between two values
 * is one piece. Source: RESP, redis.io/docs/latest/develop/reference/protocol-spec.
 */
export function encodeCommand(name: string, args: readonly WireArgument[]): string | Buffer {
  const pieces: (string | Uint8Array)[] = [];
  let text = `*${args.length + 1}\r\n${encodeText(name)}`;
  for (const arg of args) {
    if (typeof arg === "string" || typeof arg === "number") {
      text += encodeText(String(arg));
      continue;
    }
    const { prefix, bytes } = arg instanceof Uint8Array ? { prefix: "", bytes: arg } : arg;
    pieces.push(`${text}$${prefix.length + bytes.length}\r\n${prefix}`, bytes);
    text = "\r\n";
  }
  return pieces.length === 0 ? text : joined([...pieces, text]);
}

function encodeText(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

function joined(pieces: readonly (string | Uint8Array)[]): Buffer {
  let length = 0;
  for (const piece of pieces) length += typeof piece === "string" ? Buffer.byteLength(piece) : piece.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === "string") at += bytes.write(piece, at);
    else {
      bytes.set(piece, at);
      at += piece.length;
    }
  }
  return bytes;
}
