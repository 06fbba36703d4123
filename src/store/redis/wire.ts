import { Buffer } from "node:buffer";
import type { PrefixedBytes } from "./commands.ts";

/** A longer command goes out in pieces: what it holds is then copied once less. */
const MAX_JOINED_BYTES = 8 * 1024;

/** What stands in a command as it is sent. Bytes may not change before the command is answered. */
export type WireArgument = string | number | Uint8Array | PrefixedBytes;

type WirePiece = string | Uint8Array;

/**
 * A command as it goes on the wire, in pieces to be written one behind the other, mostly one. ioredis puts a command
 * with bytes together from five pieces an argument, each measured twice and copied by itself, which takes a fifth of a
 * Set; here all text between two values is one piece. Source: RESP,
 * redis.io/docs/latest/develop/reference/protocol-spec.
 */
export function encodeCommand(name: string, args: readonly WireArgument[]): readonly WirePiece[] {
  const pieces: WirePiece[] = [];
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
  pieces.push(text);
  if (pieces.length === 1) return pieces;
  const length = byteLength(pieces);
  return length > MAX_JOINED_BYTES ? pieces : [joined(pieces, length)];
}

function encodeText(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

function byteLength(pieces: readonly WirePiece[]): number {
  let length = 0;
  for (const piece of pieces) length += typeof piece === "string" ? Buffer.byteLength(piece) : piece.length;
  return length;
}

function joined(pieces: readonly WirePiece[], length: number): Buffer {
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
