/** At most eight digits and a unit. Source: PROTOCOL-HTTP2.md, Timeout. */
const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Milliseconds of a `grpc-timeout` value, rounded up so that only 0 means "elapsed"; undefined when malformed. */
export function parseTimeoutMs(value: string): number | undefined {
  const match = TIMEOUT.exec(value);
  return match === null ? undefined : Math.ceil(Number(match[1]) * MS_PER_UNIT[match[2]!]!);
}
