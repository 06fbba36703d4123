/** A file whose content is one value, such as a secret that Docker or Kubernetes mounts into a container. */
import type { ParseError } from "../config_error.ts";
import type { Parsed } from "../value_type.ts";

/** Far more than any key needs: a larger file is named by mistake. */
const MAX_FILE_BYTES = 64 * 1024;

/**
 * The file's text without a line break at its end, which editors and `echo` add. An error completes
 * "<variable> ..." and holds neither the content nor the path, since the path may be a password set by mistake.
 */
export function readValueFile(path: string): Parsed<string> {
  try {
    // Checked before opening: opening a pipe blocks until there is a writer.
    if (!Deno.statSync(path).isFile) return rejection("names a folder or a device");
    using file = Deno.openSync(path);
    const bytes = readUpTo(file, MAX_FILE_BYTES + 1);
    if (bytes.length > MAX_FILE_BYTES) return rejection("names a file that is too large");
    return { value: new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "") };
  } catch (error) {
    return unreadable(error);
  }
}

function readUpTo(file: Deno.FsFile, maxBytes: number): Uint8Array {
  const buffer = new Uint8Array(maxBytes);
  let size = 0;
  while (size < maxBytes) {
    const count = file.readSync(buffer.subarray(size));
    if (count === null) break;
    size += count;
  }
  return buffer.subarray(0, size);
}

/** Leaves out the error's own text, which quotes the path. */
function unreadable(error: unknown): ParseError {
  if (error instanceof Deno.errors.NotFound) return rejection("names a file that does not exist");
  if (error instanceof Deno.errors.PermissionDenied) {
    return { wrong: "names a file that this user may not read", accepted: "read permission for it" };
  }
  if (error instanceof Deno.errors.NotCapable) {
    return { wrong: "names a file that this process may not read", accepted: "--allow-read for it" };
  }
  return rejection(error instanceof TypeError ? "names a file that is not UTF-8 text" : "names no file");
}

function rejection(wrong: string): ParseError {
  return { wrong, accepted: `the path of a text file of at most ${MAX_FILE_BYTES / 1024} KiB` };
}
