import { type MessageEncoding, messageEncoding } from "../grpc/compression.ts";
import { isGrpcContentType } from "../grpc/content_type.ts";
import { invalidBinaryField } from "../grpc/metadata_fields.ts";
import type { PrefixedWriter } from "../grpc/prefixed_writer.ts";
import { parseTimeoutMs } from "../grpc/timeout.ts";
import type { HeaderField } from "../hpack/header_field.ts";
import type { RequestHead } from "../http2/request_head.ts";
import type { StatusObject } from "../service.ts";
import { Status, type StatusCode } from "../status.ts";
import type { Method, MethodHandler, MethodTable } from "./method_table.ts";
import { HEALTHY, METHOD_NOT_ALLOWED, type PlainResponse, UNSUPPORTED_MEDIA_TYPE } from "./plain_response.ts";

/** Where plain HTTP/2 probes ask whether the server is there. */
const PROBE_PATH = "/healthz";
const PROBE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** A request whose headers are those of a gRPC call that can be served. */
export interface CallPlan {
  readonly kind: "call";
  readonly head: RequestHead;
  readonly method: Method["definition"];
  readonly handler: MethodHandler;
  readonly responseWriter: PrefixedWriter | undefined;
  /** Infinity when the client set none. */
  readonly timeoutMs: number;
  readonly encoding: MessageEncoding;
}

/** What is to be done with a request, by its headers alone. */
export type RequestPlan =
  | CallPlan
  | { readonly kind: "refusal"; readonly status: StatusObject }
  | { readonly kind: "plain"; readonly response: PlainResponse };

/** Decides what is to be done with a request. */
export function planRequest(head: RequestHead, methods: MethodTable): RequestPlan {
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
  return planCall(head, { method: definition, handler, responseWriter, encoding }, timeoutField(head)?.value);
}

/** The plan for a head that equals that of an earlier call but for the deadline; undefined for any other. */
export function planAgain(earlier: CallPlan, head: RequestHead): RequestPlan | undefined {
  const { variation } = head;
  if (variation?.of !== earlier.head || timeoutField(head) !== variation.field) return undefined;
  return planCall(head, earlier, variation.field.value);
}

/** The last that may be wrong with a call is its deadline. */
function planCall(
  head: RequestHead,
  { method, handler, responseWriter, encoding }: Omit<CallPlan, "kind" | "head" | "timeoutMs">,
  timeout: string | undefined,
): RequestPlan {
  const timeoutMs = timeout === undefined ? Infinity : parseTimeoutMs(timeout);
  if (timeoutMs === undefined) return refusal(Status.INTERNAL, `malformed grpc-timeout: ${timeout}`);
  if (timeoutMs === 0) return refusal(Status.DEADLINE_EXCEEDED, "Deadline exceeded");
  return { kind: "call", head, method, handler, responseWriter, timeoutMs, encoding };
}

function timeoutField(head: RequestHead): HeaderField | undefined {
  return head.fields.find(({ name }) => name === "grpc-timeout");
}

function refusal(code: StatusCode, details: string): RequestPlan {
  return { kind: "refusal", status: { code, details } };
}

function fieldValue(head: RequestHead, name: string): string | undefined {
  return head.fields.find((field) => field.name === name)?.value;
}
