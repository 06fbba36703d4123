import type { HeaderField } from "./header_field.ts";

/** Fields of the static table, index 1 first. Source: RFC 7541 appendix A. */
const ENTRIES: readonly (readonly [name: string, value: string])[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
];

/** The static table; index 1 of RFC 7541 is element 0 here. */
export const STATIC_TABLE: readonly HeaderField[] = ENTRIES.map(([name, value]) => ({ name, value }));

const indexByField = new Map<string, number>();
const indexByName = new Map<string, number>();
ENTRIES.forEach(([name, value], i) => {
  indexByField.set(`${name}\n${value}`, i + 1);
  if (!indexByName.has(name)) indexByName.set(name, i + 1);
});

/** The index of a field in the static table, name and value; 0 when it is not there. */
export function staticFieldIndex(field: HeaderField): number {
  // Most fields that reach this have a name that is not in the table.
  return indexByName.has(field.name) ? indexByField.get(`${field.name}\n${field.value}`) ?? 0 : 0;
}

/** The first index with this name; 0 when there is none. */
export function staticNameIndex(name: string): number {
  return indexByName.get(name) ?? 0;
}
