/** The contract as data: the proto files, read at start, for reflection and for clients. */
import { fromJSON, type PackageDefinition } from "@grpc/proto-loader";
import protobuf from "protobufjs";

/** The service's full name, as gRPC paths and health checks spell it. */
export const SERVICE_NAME = "cacheserver.v1.CacheServer";

/** Imported files come before those that import them. */
const PROTO_FILES = ["namespaced.proto", "secret.proto", "errors.proto", "cacheserver.proto"];

/** Files of protobuf's own that the contract imports; protobufjs brings them along. */
const WELL_KNOWN_FILES = ["any", "duration", "empty", "timestamp"];

/**
 * The package `cacheserver.v1` for whoever wants descriptors.
 *
 * The texts are read with Deno's own functions and parsed here: proto-loader looks for imported files in
 * directories, which does not see the files inside a compiled executable.
 */
export function loadContract(): PackageDefinition {
  const root = new protobuf.Root();
  for (const name of WELL_KNOWN_FILES) {
    const common = protobuf.common.get(`google/protobuf/${name}.proto`);
    if (common === null || common.nested === undefined) {
      throw new Error(`Cannot load the contract: protobufjs has no ${name}.proto`);
    }
    root.addJSON(common.nested);
  }
  for (const name of PROTO_FILES) {
    const url = new URL(`../../proto/cacheserver/v1/${name}`, import.meta.url);
    protobuf.parse(Deno.readTextFileSync(url), root, { keepCase: true });
  }
  return fromJSON(root.toJSON(), { keepCase: true, longs: String, enums: String, defaults: true });
}
