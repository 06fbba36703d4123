import { grpcStatusOf } from "./grpc_status.ts";

/** Reads the status of call after call: most trailers are those of the call before, byte by byte. */
export class TrailerReader {
  #block = new Uint8Array();
  #status: number | undefined;

  /** As {@link grpcStatusOf}. */
  statusOf(block: Uint8Array): number | undefined {
    if (!isEqual(block, this.#block)) {
      this.#status = grpcStatusOf(block);
      this.#block = block.slice();
    }
    return this.#status;
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return false;
  }
  return true;
}
