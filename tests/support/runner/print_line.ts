const encoder = new TextEncoder();

/** Writes a whole line to standard output before it returns. */
export function printLine(text: string): void {
  printBytes(encoder.encode(`${text}\n`));
}

/** Writes bytes to standard output, all of them, before it returns. */
export function printBytes(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += Deno.stdout.writeSync(bytes.subarray(written));
  }
}
