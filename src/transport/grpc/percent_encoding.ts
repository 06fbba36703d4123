/** What `grpc-message` cannot hold as it is: all but printable ASCII, and the percent sign. */
const NEEDS_ENCODING = /[^\x20-\x24\x26-\x7e]/;

const encoder = new TextEncoder();

/** The text of a status as `grpc-message` carries it. Source: PROTOCOL-HTTP2.md, Status-Message. */
export function percentEncode(text: string): string {
  if (!NEEDS_ENCODING.test(text)) return text;
  let encoded = "";
  for (const octet of encoder.encode(text)) {
    encoded += octet >= 0x20 && octet <= 0x7e && octet !== 0x25
      ? String.fromCharCode(octet)
      : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
