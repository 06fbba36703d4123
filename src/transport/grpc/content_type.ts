/** `application/grpc`, with `+proto` or without, with parameters or without. Source: PROTOCOL-HTTP2.md, Content-Type. */
const GRPC_CONTENT_TYPE = /^application\/grpc(?:\+proto)?(?:[ \t]*;.*)?$/i;

/** Whether messages of this content-type are protobuf messages in gRPC framing. */
export function isGrpcContentType(value: string | undefined): boolean {
  return value === "application/grpc" || (value !== undefined && GRPC_CONTENT_TYPE.test(value));
}
