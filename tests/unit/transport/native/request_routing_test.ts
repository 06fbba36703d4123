import { assert } from "@std/assert";
import { isGrpcContentType } from "../../../../src/transport/native/request_routing.ts";

Deno.test("isGrpcContentType() compares the whole media type, in any case", () => {
  for (const type of ["application/grpc", "Application/GRPC+Proto", "application/grpc ;a"]) {
    assert(isGrpcContentType(type));
  }
  for (const type of [undefined, "", "application/grpcx", "application/grpc-web+proto"]) {
    assert(!isGrpcContentType(type));
  }
});
