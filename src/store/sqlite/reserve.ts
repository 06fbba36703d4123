import { statfsSync } from "node:fs";

/** What is free when writes begin again, as a multiple of what has to be free while they go on. */
const RESUME_FACTOR = 1.5;

/** The sizes of a {@link SqliteReserve}. */
export interface SqliteReserveSizes {
  /** What the reserve holds: enough to copy the log into the file, and to remove rows. */
  readonly reserveBytes: number;
  /** What has to be free beside it: a value passes through the log into the file. */
  readonly roomBytes: number;
}

const BLOCK_BYTES = 2 ** 16;

/**
 * Space on the disk of a database file, held in `<file>.reserve` and given up when the disk is full: removing rows
 * needs room too, first in the log, then in the file that the log is copied into.
 *
 * The open file is kept, so that no permission is needed later.
 */
export class SqliteReserve implements Disposable {
  readonly #bytes: number;
  readonly #roomBytes: number;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #isHeld: boolean;

  /** Opens the reserve at `path`, or makes an empty one. An earlier process may have left it held. */
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

  /** What has to be free beside the reserve for writes to begin again. */
  get resumeBytes(): number {
    return RESUME_FACTOR * this.#roomBytes;
  }

  /** Gives the space up. */
  release(): void {
    this.#isHeld = false;
    this.#file.truncateSync(0);
  }

  /** Takes the space again; resolves to false, and takes none, unless {@link resumeBytes} are left. */
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
      // A quota, or another program that was faster.
      this.release();
    }
    return this.#isHeld;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #freeBytes(): number {
    const { blocks, bavail, bsize } = statfsSync(this.#path);
    // Some file systems do not say.
    return blocks === 0 ? Infinity : bavail * bsize;
  }
}

/** Bytes that a file system which compresses cannot make smaller: xorshift, of any seed. */
const BLOCK = new Uint8Array(BLOCK_BYTES);
for (let i = 0, state = 0x9e3779b9; i < BLOCK_BYTES; i++) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  BLOCK[i] = state;
}
