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
 * Writes a line of the log to standard output. Where that has gone, a terminal that was closed or a pipe whose reader
 * has ended, the line is lost: the service outlives its log.
 */
export function printLogLine(line: string): void {
  try {
    printLine(line);
  } catch {
    // There is no place left to tell of it.
  }
}

/** Writes a line to standard error. */
export function printError(line: string): void {
  writeAll(Deno.stderr, `${line}\n`);
}

/** A write to a pipe may take less than it was given. */
function writeAll(output: { writeSync(bytes: Uint8Array): number }, text: string): void {
  for (let rest = encoder.encode(text); rest.length > 0;) rest = rest.subarray(output.writeSync(rest));
}
