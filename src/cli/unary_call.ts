/** The client's side of a gRPC call, as far as a command needs it. */
import { type Endpoint, endpointText } from "../core/endpoint.ts";
import { systemClock } from "../core/clock.ts";

/** What to call. */
export interface UnaryCallOptions {
  readonly address: Endpoint;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The request's message. */
  readonly request: Uint8Array;
  /** The longest it may take, connecting included. */
  readonly timeoutMs: number;
}

/** Source: grpc/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message: a flag, then the length in four octets. */
const PREFIX_BYTES = 5;

/**
 * Calls a method over plain HTTP/2 and resolves to the response's message. Rejects with one line that says what the
 * server answered, or why there is no answer.
 *
 * The runtime's own HTTP client starts in milliseconds, where loading grpc-js takes ten times that. It shows no
 * trailers, which is enough: a call that fails without a response has its status among the headers.
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
      // Straight to the server: an HTTP_PROXY of the environment is for others, and so are the ports that browsers
      // do not go to, which a URL may not have.
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

/** A URL has no place for the zone of an IPv6 address. */
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
  if (length < PREFIX_BYTES) throw new Error("the answer holds no message");
  const messageBytes = new DataView(buffer, byteOffset).getUint32(1);
  if (length !== PREFIX_BYTES + messageBytes) throw new Error("the answer is not one message");
  return body.subarray(PREFIX_BYTES);
}

/** The innermost cause: those around it repeat where and what. */
function reasonOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  const text = innermost instanceof Error ? innermost.message : String(innermost);
  return /^error sending request.*: ([^:]+)$/s.exec(text)?.[1] ?? text;
}
