/** Sizes in bytes: `64MiB` (binary), `1GB` (decimal), or a plain number of bytes. */

export const KiB = 2 ** 10;
export const MiB = 2 ** 20;
export const GiB = 2 ** 30;

const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ["GiB", GiB],
  ["MiB", MiB],
  ["KiB", KiB],
  ["GB", 1e9],
  ["MB", 1e6],
  ["KB", 1e3],
  ["B", 1],
  ["", 1],
]);

const BINARY_UNITS = ["GiB", "MiB", "KiB"];

/** Bytes; undefined when `text` is not a size, or not a whole number of bytes. */
export function parseSizeBytes(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([KMG]i?B|B)?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const bytes = Number(digits) * UNIT_BYTES.get(unit)!;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The largest binary unit that leaves no fraction, else the plain number of bytes. */
export function formatSize(bytes: number): string {
  const unit = BINARY_UNITS.find((unit) =>
    bytes >= UNIT_BYTES.get(unit)! && bytes % UNIT_BYTES.get(unit)! === 0
  );
  return unit === undefined ? `${bytes}` : `${bytes / UNIT_BYTES.get(unit)!}${unit}`;
}
