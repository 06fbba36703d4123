const encoder = new TextEncoder();

/** Writes to standard output. */
export function print(text: string): void {
  writeAll(Deno.stdout, text);
}

/** Writes a line to standard output. */
export function printLine(line: string): void {
  writeAll(Deno.stdout, `${line}\n`);
}

/**
 * Writes a line of the log to standard output. If that is gone, such as a closed terminal or a pipe without a reader,
 * the line is lost and the service continues.
 */
export function printLogLine(line: string): void {
  try {
    printLine(line);
  } catch {
    // There is no other place for the line.
  }
}

/** Writes a line to standard error. */
export function printError(line: string): void {
  writeAll(Deno.stderr, `${line}\n`);
}

/** A write to a pipe may take only a part of the bytes. */
function writeAll(output: { writeSync(bytes: Uint8Array): number }, text: string): void {
  for (let rest = encoder.encode(text); rest.length > 0;) rest = rest.subarray(output.writeSync(rest));
}
