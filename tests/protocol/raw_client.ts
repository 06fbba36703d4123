import { waitFor } from "../support/wait_for.ts";
import { concat, parseFrames, PREFACE, type ReceivedFrame, settings } from "./frames.ts";

/** A client that writes octets to a socket and collects the frames that come back. */
export class RawClient implements Disposable {
  readonly frames: ReceivedFrame[] = [];
  /** Octets read so far. */
  octetsRead = 0;
  isClosed = false;
  readonly #connection: Deno.TcpConn;
  #rest: Uint8Array = new Uint8Array(0);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects and sends nothing. With `isReading: false`, nothing is read until {@link startReading}. */
  static async connect(port: number, { isReading = true } = {}): Promise<RawClient> {
    const client = new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
    if (isReading) client.startReading();
    return client;
  }

  /** Connects and exchanges prefaces. */
  static async ready(port: number, options = {}): Promise<RawClient> {
    const client = await RawClient.connect(port, options);
    await client.send(PREFACE, settings());
    return client;
  }

  startReading(): void {
    void this.#read();
  }

  /** Writes all parts. Returns false when the server has closed. */
  async send(...parts: readonly Uint8Array[]): Promise<boolean> {
    const bytes = concat(...parts);
    try {
      for (let offset = 0; offset < bytes.length;) {
        offset += await this.#connection.write(bytes.subarray(offset));
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Waits for a frame that `matches`. */
  frame(what: string, matches: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame> {
    return waitFor(() => this.frames.find(matches), { what, intervalMs: 2 });
  }

  async closed(): Promise<void> {
    await waitFor(() => this.isClosed, { what: "the server to close" });
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // The reader has already seen the end.
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let length = await this.#connection.read(buffer); length !== null;) {
        this.octetsRead += length;
        const { frames, rest } = parseFrames(concat(this.#rest, buffer.subarray(0, length)));
        this.frames.push(...frames);
        this.#rest = rest;
        length = await this.#connection.read(buffer);
      }
    } catch {
      // A reset ends the connection as well as an end does.
    }
    this.isClosed = true;
  }
}
