import { CONNECTION_PREFACE } from "./protocol.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";

/** Checks the octets before a client's first frame. Source: RFC 9113 section 3.4. */
export class PrefaceReader {
  #matched = 0;

  get isComplete(): boolean {
    return this.#matched === CONNECTION_PREFACE.length;
  }

  /**
   * Checks the next octets. Returns the offset of the first frame.
   * @throws {ConnectionError} at the first octet that differs: the client speaks another protocol.
   */
  push(chunk: Uint8Array): number {
    let offset = 0;
    while (offset < chunk.length && !this.isComplete) {
      if (chunk[offset++] !== CONNECTION_PREFACE.charCodeAt(this.#matched++)) {
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "not an HTTP/2 connection preface");
      }
    }
    return offset;
  }
}
