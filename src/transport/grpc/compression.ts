import { gunzipSync } from "node:zlib";
import { Status } from "../status.ts";
import { CallError } from "./error_status.ts";

/** The encodings that requests may use. Source: PROTOCOL-HTTP2.md, Message-Encoding. */
export type MessageEncoding = "identity" | "gzip";

/** The encoding named by `grpc-encoding`; undefined when it is not supported. */
export function messageEncoding(value: string | undefined): MessageEncoding | undefined {
  if (value === undefined || value === "identity") return "identity";
  return value === "gzip" ? "gzip" : undefined;
}

/**
 * Unpacks a message whose compressed-flag is set. Stops at `maxMessageBytes`, so that a small message cannot unpack
 * to a huge one.
 * @throws {CallError}
 */
export function decompress(
  bytes: Uint8Array,
  encoding: MessageEncoding,
  maxMessageBytes: number,
): Uint8Array {
  if (encoding === "identity") {
    throw new CallError(
      Status.INTERNAL,
      "compressed-flag of a message is set, but there is no grpc-encoding",
    );
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: maxMessageBytes });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new CallError(
        Status.RESOURCE_EXHAUSTED,
        `Received message unpacks to more than ${maxMessageBytes} bytes`,
      );
    }
    throw new CallError(Status.INTERNAL, "message is not valid gzip");
  }
}
