/** The contract as data: the proto files as buf compiles them, comments included. */

/** The service's full name, as gRPC paths and health checks spell it. */
export const SERVICE_NAME = "cacheserver.v1.CacheServer";

/** `deno task proto` writes it; CI compares it with the proto files. */
const DESCRIPTOR_SET = new URL("../../proto/contract.binpb", import.meta.url);

/** An encoded google.protobuf.FileDescriptorSet: the contract's files and all that they import. */
export function readContract(): Uint8Array {
  return Deno.readFileSync(DESCRIPTOR_SET);
}
