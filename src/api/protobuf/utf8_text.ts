const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const character = String.fromCharCode;

/** Up to this many UTF-16 code units, a loop over ASCII beats the encoder's fixed cost. */
const SHORT_TEXT_UNITS = 12;

/** Up to this many bytes, a loop over ASCII beats the decoder's fixed cost. */
const SHORT_TEXT_BYTES = 64;

/**
 * The text of `bytes[start..end)`; undefined if they are not UTF-8.
 *
 * Nearly all names are short ASCII. They are read without a view and without a list of characters: 14 characters take
 * 20 ns, and 300 ns by `String.fromCharCode(...bytes)`.
 */
export function decodeText(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  if (end - start <= SHORT_TEXT_BYTES) {
    const text = decodeShortAscii(bytes, start, end);
    if (text !== undefined) return text;
  }
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

function decodeShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
    const [e, f, g, h] = [bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!];
    if ((a | b | c | d | e | f | g | h) >= 0x80) return undefined;
    text += character(a, b, c, d, e, f, g, h);
  }
  for (; at + 2 <= end; at += 2) {
    const [a, b] = [bytes[at]!, bytes[at + 1]!];
    if ((a | b) >= 0x80) return undefined;
    text += character(a, b);
  }
  if (at === end) return text;
  const last = bytes[at]!;
  return last >= 0x80 ? undefined : text + character(last);
}

/** The number of bytes that {@link writeText} writes. Does not allocate. */
export function textLength(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    // A surrogate pair takes four bytes; an unpaired surrogate becomes U+FFFD, which takes three.
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(at + 1))) at++;
  }
  return length;
}

/** Writes the text as UTF-8 at `at` and returns its end. There must be room for it. */
export function writeText(text: string, bytes: Uint8Array, at: number): number {
  let index = 0;
  if (text.length <= SHORT_TEXT_UNITS) {
    for (; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) break;
      bytes[at + index] = unit;
    }
    if (index === text.length) return at + index;
  }
  return at + encoder.encodeInto(text, bytes.subarray(at)).written;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
