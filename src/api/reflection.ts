import { Buffer } from "node:buffer";
import { ReflectionService } from "@grpc/reflection";
import type { GrpcServer } from "../transport/service.ts";

/**
 * Adds grpc.reflection.v1 and v1alpha, which tell clients such as grpcurl what can be called. `files` are encoded
 * google.protobuf.FileDescriptorProtos, all that they import included.
 */
export function addReflection(server: GrpcServer, files: readonly Uint8Array[]): void {
  const format = "Protocol Buffer 3 DescriptorProto";
  const reflection = new ReflectionService({
    // The library takes proto-loader's definitions and looks at nothing but the files in them.
    files: { format, type: {}, fileDescriptorProtos: files.map((file) => Buffer.from(file)) },
  });
  // It asks for grpc-js's server type, and calls its addService only.
  reflection.addToServer(server as unknown as Parameters<typeof reflection.addToServer>[0]);
}
