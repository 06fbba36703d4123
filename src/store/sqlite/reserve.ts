import { statfsSync } from "node:fs";

/** Writes resume when this multiple of `roomBytes` is free. */
const RESUME_FACTOR = 1.5;

/** The sizes of a {@link SqliteReserve}. */
export interface SqliteReserveSizes {
  /** The size of the reserve: enough to copy the log into the file and to remove rows. */
  readonly reserveBytes: number;
  /** The free space that writes need beside the reserve: a value passes through the log into the file. */
  readonly roomBytes: number;
}

const BLOCK_BYTES = 2 ** 16;

/**
 * Disk space held in `<file>.reserve` and released when the disk is full. Removing rows needs space too, first in the
 * log, then in the file that the log is copied into.
 *
 * The file stays open, so that no permission is needed later.
 */
export class SqliteReserve implements Disposable {
  readonly #bytes: number;
  readonly #roomBytes: number;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #isHeld: boolean;

  /** Opens the reserve at `path`, or creates an empty one. An earlier process may have left it filled. */
  constructor(path: string, { reserveBytes, roomBytes }: SqliteReserveSizes) {
    this.#path = path;
    this.#bytes = reserveBytes;
    this.#roomBytes = roomBytes;
    this.#file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
    if (this.#file.statSync().size > reserveBytes) this.#file.truncateSync(reserveBytes);
    this.#isHeld = this.#file.statSync().size === reserveBytes;
  }

  /** Whether the space is held. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Whether the disk has room for a write beside the reserve. */
  get hasRoom(): boolean {
    return this.#freeBytes() >= this.#roomBytes;
  }

  /** The free space beside the reserve at which writes resume. */
  get resumeBytes(): number {
    return RESUME_FACTOR * this.#roomBytes;
  }

  /** Releases the space. */
  release(): void {
    this.#isHeld = false;
    this.#file.truncateSync(0);
  }

  /** Takes the space again if {@link resumeBytes} remain free; else resolves to false and takes nothing. */
  async fill(): Promise<boolean> {
    if (this.#isHeld) return true;
    const { size } = await this.#file.stat();
    if (this.#freeBytes() + size < this.#bytes + this.resumeBytes) return false;
    try {
      await this.#file.seek(0, Deno.SeekMode.Start);
      for (let left = this.#bytes; left > 0;) {
        left -= await this.#file.write(BLOCK.subarray(0, Math.min(left, BLOCK_BYTES)));
      }
      this.#isHeld = true;
    } catch {
      // A quota applies, or another program took the space first.
      this.release();
    }
    return this.#isHeld;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #freeBytes(): number {
    const { blocks, bavail, bsize } = statfsSync(this.#path);
    // Some file systems report no sizes.
    return blocks === 0 ? Infinity : bavail * bsize;
  }
}

/** Incompressible bytes (xorshift), so that a compressing file system holds the full size. */
const BLOCK = new Uint8Array(BLOCK_BYTES);
for (let i = 0, state = 0x9e3779b9; i < BLOCK_BYTES; i++) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  BLOCK[i] = state;
}
