/** The versions of Deno on which servers over node:http2 are known to run, from the first to the last. */
export const KNOWN_GOOD_DENO = ["2.7.0", "2.9.3"] as const;

/**
 * Whether servers over node:http2 are known to run on this version of Deno. Before 2.7 they cannot; 2.9.4 to 2.9.6
 * abort the process when many clients disconnect; later ones are untested.
 */
export function isKnownGoodDeno(version: string): boolean {
  const [first, last] = KNOWN_GOOD_DENO.map(ordinal);
  const given = ordinal(version);
  return given >= first! && given <= last!;
}

/** A number that grows with the version. It ignores everything after the third number. */
function ordinal(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number);
  return (major * 1000 + minor) * 1000 + patch;
}
