/** The client side of a unary gRPC call, for commands. */
import { type Endpoint, endpointText } from "../core/endpoint.ts";
import { systemClock } from "../core/clock.ts";

/** The call to make. */
export interface UnaryCallOptions {
  readonly address: Endpoint;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The encoded request. */
  readonly request: Uint8Array;
  /** For the whole call, connecting included. */
  readonly timeoutMs: number;
}

/** Source: grpc/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message: a flag, then the length in four octets. */
const PREFIX_BYTES = 5;

/**
 * Calls a method over plain HTTP/2 and resolves to the encoded response. Rejects with an error of one line: the server's
 * status, or why there is no response.
 *
 * The runtime's own HTTP client starts ten times as fast as grpc-js. It does not show trailers; a call that fails without
 * a response has its status in the headers.
 */
export async function callUnary(
  { address, path, request, timeoutMs }: UnaryCallOptions,
): Promise<Uint8Array> {
  const tooLate = new AbortController();
  const timer = systemClock.setTimer(
    () => tooLate.abort(new Error(`no answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    using client = Deno.createHttpClient({
      http1: false,
      http2: true,
      // Directly to the server. Without a proxy, fetch uses HTTP_PROXY and refuses the ports that browsers block.
      proxy: { transport: "tcp", hostname: hostOfUrl(address), port: address.port },
    });
    const response = await fetch(`http://${hostOfUrl(address)}${path}`, {
      client,
      method: "POST",
      headers: { "content-type": "application/grpc", "te": "trailers" },
      body: prefixed(request),
      signal: tooLate.signal,
    });
    return messageOf(response, new Uint8Array(await response.arrayBuffer()));
  } catch (error) {
    throw new Error(`Cannot call ${endpointText(address)}${path}: ${reasonOf(error)}`, { cause: error });
  } finally {
    timer.cancel();
  }
}

/** A URL cannot hold the zone of an IPv6 address. */
function hostOfUrl({ hostname }: Endpoint): string {
  return hostname.includes(":") ? `[${hostname.replace(/%.*/, "")}]` : hostname;
}

function prefixed(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PREFIX_BYTES + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

function messageOf({ status, headers }: Response, body: Uint8Array): Uint8Array {
  const grpcStatus = headers.get("grpc-status") ?? "0";
  if (grpcStatus !== "0") {
    throw new Error(
      `status ${grpcStatus}, ${decodeURIComponent(headers.get("grpc-message") ?? "no reason given")}`,
    );
  }
  const isGrpc = status === 200 && headers.get("content-type")?.startsWith("application/grpc");
  if (!isGrpc) throw new Error(`HTTP status ${status}, this is no gRPC server`);
  const { buffer, byteOffset, length } = body;
  if (length < PREFIX_BYTES) throw new Error("the response has no message");
  const messageBytes = new DataView(buffer, byteOffset).getUint32(1);
  if (length !== PREFIX_BYTES + messageBytes) throw new Error("the response is not one message");
  return body.subarray(PREFIX_BYTES);
}

/** The text of the innermost cause: the outer ones repeat the address. */
function reasonOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  const text = innermost instanceof Error ? innermost.message : String(innermost);
  return /^error sending request.*: ([^:]+)$/s.exec(text)?.[1] ?? text;
}
