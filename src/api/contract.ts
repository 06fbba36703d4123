/** The contract as data: what buf makes of the proto files, comments included, for reflection and for clients. */
import { ProtobufReader, WireType } from "./protobuf/reader.ts";

/** The service's full name, as gRPC paths and health checks spell it. */
export const SERVICE_NAME = "cacheserver.v1.CacheServer";

/** `deno task proto` writes it; CI compares it with the proto files. */
const DESCRIPTOR_SET = new URL("../../proto/contract.binpb", import.meta.url);

/** google.protobuf.FileDescriptorSet.file */
const FILE_FIELD = 1;

/** The contract's files, those they import included, each an encoded google.protobuf.FileDescriptorProto. */
export function loadContract(): Uint8Array[] {
  const reader = new ProtobufReader(Deno.readFileSync(DESCRIPTOR_SET));
  const files: Uint8Array[] = [];
  while (reader.next()) {
    if (reader.is(FILE_FIELD, WireType.LENGTH_DELIMITED)) files.push(reader.bytes());
    else reader.skip();
  }
  return files;
}
