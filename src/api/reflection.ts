import { ReflectionService } from "@grpc/reflection";
import type { PackageDefinition } from "@grpc/proto-loader";
import type { GrpcServer } from "../transport/service.ts";

/** Adds grpc.reflection.v1 and v1alpha, which tell clients such as grpcurl what can be called. */
export function addReflection(server: GrpcServer, contract: PackageDefinition): void {
  const reflection = new ReflectionService(contract);
  // The library asks for grpc-js's server type, and calls its addService only.
  reflection.addToServer(server as unknown as Parameters<typeof reflection.addToServer>[0]);
}
