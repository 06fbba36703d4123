import { type MessageEncoding, messageEncoding } from "../grpc/compression.ts";
import { invalidBinaryField } from "../grpc/metadata_fields.ts";
import type { PrefixedWriter } from "../grpc/prefixed_writer.ts";
import { parseTimeoutMs } from "../grpc/timeout_header.ts";
import type { HeaderField } from "../hpack/header_field.ts";
import type { RequestHead } from "../http2/request_head.ts";
import type { StatusObject } from "../service.ts";
import { Status, type StatusCode } from "../status.ts";
import type { Method, MethodHandler, MethodTable } from "./method_table.ts";
import { HEALTHY, METHOD_NOT_ALLOWED, type PlainResponse, UNSUPPORTED_MEDIA_TYPE } from "./plain_response.ts";

/** The path of health probes over plain HTTP/2. */
const PROBE_PATH = "/healthz";
const PROBE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** `application/grpc`, with `+proto` or without, with parameters or without. Source: PROTOCOL-HTTP2.md, Content-Type. */
const GRPC_CONTENT_TYPE = /^application\/grpc(?:\+proto)?(?:[ \t]*;.*)?$/i;

/** A request that calls a method of this server, with its gRPC headers read. */
export interface RoutedCall {
  readonly kind: "call";
  readonly head: RequestHead;
  readonly method: Method["definition"];
  readonly handler: MethodHandler;
  readonly responseWriter: PrefixedWriter | undefined;
  /** Infinity when the client set none. */
  readonly timeoutMs: number;
  readonly encoding: MessageEncoding;
}

/** What a request's headers ask for: a call, a call that is refused, or a response of plain HTTP. */
export type RoutedRequest =
  | RoutedCall
  | { readonly kind: "refusal"; readonly status: StatusObject }
  | { readonly kind: "plain"; readonly response: PlainResponse };

/** Routes a request by its headers. */
export function routeRequest(head: RequestHead, methods: MethodTable): RoutedRequest {
  if (head.isTruncated) return refusal(Status.RESOURCE_EXHAUSTED, "request headers are too large");
  if (head.method !== "POST") {
    const isProbe = PROBE_METHODS.has(head.method) && head.path === PROBE_PATH;
    return { kind: "plain", response: isProbe ? HEALTHY : METHOD_NOT_ALLOWED };
  }
  if (!isGrpcContentType(fieldValue(head, "content-type"))) {
    return { kind: "plain", response: UNSUPPORTED_MEDIA_TYPE };
  }
  const method = methods.find(head.path);
  if (method?.handler === undefined) return refusal(Status.UNIMPLEMENTED, methods.explainMissing(head.path));
  const encodingName = fieldValue(head, "grpc-encoding");
  const encoding = messageEncoding(encodingName);
  if (encoding === undefined) {
    return refusal(Status.UNIMPLEMENTED, `unsupported grpc-encoding ${encodingName}`);
  }
  const badField = invalidBinaryField(head.fields);
  if (badField !== undefined) return refusal(Status.INTERNAL, `metadata ${badField} is not base64`);
  const { definition, handler, responseWriter } = method;
  return routeCall(
    head,
    { method: definition, handler, responseWriter, encoding },
    timeoutField(head)?.value,
  );
}

/** Routes a head that equals an earlier call's but for the deadline; undefined for any other head. */
export function routeVariation(earlier: RoutedCall, head: RequestHead): RoutedRequest | undefined {
  const { variation } = head;
  if (variation?.of !== earlier.head || timeoutField(head) !== variation.field) return undefined;
  return routeCall(head, earlier, variation.field.value);
}

/** Whether messages of this content-type are protobuf messages in gRPC framing. */
export function isGrpcContentType(value: string | undefined): boolean {
  return value === "application/grpc" || (value !== undefined && GRPC_CONTENT_TYPE.test(value));
}

/** Completes a route, whose deadline is checked last. */
function routeCall(
  head: RequestHead,
  { method, handler, responseWriter, encoding }: Omit<RoutedCall, "kind" | "head" | "timeoutMs">,
  timeout: string | undefined,
): RoutedRequest {
  const timeoutMs = timeout === undefined ? Infinity : parseTimeoutMs(timeout);
  if (timeoutMs === undefined) return refusal(Status.INTERNAL, `malformed grpc-timeout: ${timeout}`);
  if (timeoutMs === 0) return refusal(Status.DEADLINE_EXCEEDED, "Deadline exceeded");
  return { kind: "call", head, method, handler, responseWriter, timeoutMs, encoding };
}

function timeoutField(head: RequestHead): HeaderField | undefined {
  return head.fields.find(({ name }) => name === "grpc-timeout");
}

function refusal(code: StatusCode, details: string): RoutedRequest {
  return { kind: "refusal", status: { code, details } };
}

function fieldValue(head: RequestHead, name: string): string | undefined {
  return head.fields.find((field) => field.name === name)?.value;
}
