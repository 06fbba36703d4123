/** A file whose content is one value: a secret as Docker and Kubernetes hand it to a container. */
import type { Fault } from "./config_error.ts";
import type { Reading } from "./kind.ts";

/** Far more than any key takes; a file that is larger is a log or a disk image, named by mistake. */
const MAX_FILE_BYTES = 64 * 1024;

/**
 * The file's text without the line break at its end, if there is one: editors and `echo` add it. A fault
 * completes "<variable> ..." and holds neither the content nor the path, where a password may stand by mistake.
 */
export function readValueFile(path: string): Reading<string> {
  try {
    // Looked at before it is opened: opening a pipe waits for somebody to write to it.
    if (!Deno.statSync(path).isFile) return fault("names a folder or a device");
    using file = Deno.openSync(path);
    const bytes = readUpTo(file, MAX_FILE_BYTES + 1);
    if (bytes.length > MAX_FILE_BYTES) return fault("names a file that is too large");
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

/** The error's own text is not passed on: it quotes the path. */
function unreadable(error: unknown): Fault {
  if (error instanceof Deno.errors.NotFound) return fault("names a file that does not exist");
  if (error instanceof Deno.errors.PermissionDenied) {
    return { wrong: "names a file that this user may not read", accepted: "read permission for it" };
  }
  if (error instanceof Deno.errors.NotCapable) {
    return { wrong: "names a file that this process may not read", accepted: "--allow-read for it" };
  }
  return fault(error instanceof TypeError ? "names a file that is not UTF-8 text" : "names no file");
}

function fault(wrong: string): Fault {
  return { wrong, accepted: `the path of a text file of at most ${MAX_FILE_BYTES / 1024} KiB` };
}
