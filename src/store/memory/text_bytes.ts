const WIDE_CHARACTER = /[\u0100-\uffff]/;

/** What the characters of a text take in memory: one byte each if all of them are Latin-1, else two. */
export function textBytes(text: string): number {
  return WIDE_CHARACTER.test(text) ? text.length * 2 : text.length;
}
