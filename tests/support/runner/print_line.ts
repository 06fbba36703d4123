const encoder = new TextEncoder();

/** Writes a line to standard output, whole, before it returns. For programs whose product is their output. */
export function printLine(text: string): void {
  printBytes(encoder.encode(`${text}\n`));
}

/** Writes bytes to standard output, all of them, before it returns. */
export function printBytes(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += Deno.stdout.writeSync(bytes.subarray(written));
  }
}
