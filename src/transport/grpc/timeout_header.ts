/** The `grpc-timeout` header: how long a client waits for its call. Source: PROTOCOL-HTTP2.md, Timeout. */
const MAX_DIGITS = 8;
const MS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1_000],
  ["m", 1],
  ["u", 1e-3],
  ["n", 1e-6],
]);

/** Milliseconds of a `grpc-timeout` value, rounded up so that only 0 means "elapsed"; undefined when malformed. */
export function parseTimeoutMs(value: string): number | undefined {
  const digits = value.length - 1;
  const msPerUnit = MS_PER_UNIT.get(value.charAt(digits));
  if (msPerUnit === undefined || digits < 1 || digits > MAX_DIGITS) return undefined;
  // Every call has another value, and a regular expression with its match costs more than this loop.
  let count = 0;
  for (let at = 0; at < digits; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    count = 10 * count + digit;
  }
  return Math.ceil(count * msPerUnit);
}
