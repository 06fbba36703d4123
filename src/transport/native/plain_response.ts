/** Responses to requests other than gRPC. Source: PROTOCOL-HTTP2.md, Content-Type; RFC 9110 section 15.5. */
import type { HeaderField } from "../hpack/header_field.ts";
import type { Stream } from "../http2/stream.ts";

/** A response of plain HTTP. */
export interface PlainResponse {
  readonly headers: readonly HeaderField[];
  readonly body: Uint8Array;
}

const TEXT: HeaderField = { name: "content-type", value: "text/plain; charset=utf-8" };

/** The response to a probe. Some probes take a body shorter than five octets for a failure. */
export const HEALTHY: PlainResponse = plainResponse("200", "healthy\n", []);
export const METHOD_NOT_ALLOWED: PlainResponse = plainResponse("405", "gRPC calls use POST\n", [
  { name: "allow", value: "POST" },
]);
export const UNSUPPORTED_MEDIA_TYPE: PlainResponse = plainResponse(
  "415",
  "the content-type of gRPC calls is application/grpc\n",
  [],
);

/** Sends the response; for HEAD without its body (RFC 9110 section 9.3.2). */
export function sendPlainResponse(stream: Stream, method: string, response: PlainResponse): void {
  stream.sendHeaders(response.headers);
  if (method !== "HEAD") stream.sendData([response.body]);
  stream.sendTrailers([]);
}

function plainResponse(status: string, text: string, fields: readonly HeaderField[]): PlainResponse {
  const body = new TextEncoder().encode(text);
  const length = { name: "content-length", value: String(body.length) };
  return { headers: [{ name: ":status", value: status }, TEXT, length, ...fields], body };
}
