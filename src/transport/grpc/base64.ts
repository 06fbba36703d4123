/** Binary metadata values. Source: PROTOCOL-HTTP2.md, Binary-Header: base64, padded or not. */

/** Decodes a `-bin` value; undefined when it is not base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Encodes a `-bin` value, without padding, which receivers must accept and the protocol prefers. */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}
