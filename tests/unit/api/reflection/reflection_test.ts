import { Duplex } from "node:stream";
import { assertEquals } from "@std/assert";
import { addReflection } from "../../../../src/api/reflection/reflection.ts";
import type { GrpcServer, Implementation, StatusObject } from "../../../../src/transport/service.ts";
import { Status } from "../../../../src/transport/status.ts";

/** The paths and handlers that reflection adds to a server, and what it reports. */
function added() {
  const paths: string[] = [];
  const handlers: Implementation[string][] = [];
  const reported: unknown[] = [];
  const server: Pick<GrpcServer, "addService"> = {
    addService(definition, implementation) {
      for (const [name, { path }] of Object.entries(definition)) {
        paths.push(path);
        handlers.push(implementation[name]!);
      }
    },
  };
  addReflection(server as GrpcServer, { callFailed: (_path, error) => reported.push(error) });
  return { paths, handlers, reported };
}

/** Calls a handler with these requests; resolves to the number of responses, or to the status that the call ends with. */
function called(
  handler: Implementation[string],
  requests: readonly Uint8Array[],
): Promise<number | StatusObject> {
  const { promise, resolve } = Promise.withResolvers<number | StatusObject>();
  let responses = 0;
  const call = new Duplex({
    objectMode: true,
    read() {},
    write(_response, _encoding, done) {
      responses++;
      done();
    },
    final(done) {
      resolve(responses);
      done();
    },
  });
  call.on("error", (error: Error & StatusObject) => resolve(error));
  handler(call);
  for (const request of [...requests, null]) call.push(request);
  return promise;
}

Deno.test("addReflection() serves v1 and v1alpha, and answers each request of a call", async () => {
  const { paths, handlers } = added();
  assertEquals(paths, [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
  ]);
  for (const handler of handlers) {
    assertEquals(await called(handler, [new Uint8Array(0), Uint8Array.of(0x3a, 1, 0x2a)]), 2);
  }
});

Deno.test("addReflection() reads the contract again after a call for which it could not be read", async () => {
  const { handlers: [handler] } = added();
  const { readFileSync } = Deno;
  Deno.readFileSync = () => {
    throw new Error("Too many open files (os error 24)");
  };
  try {
    assertEquals((await called(handler!, [new Uint8Array(0)]) as StatusObject).code, Status.INTERNAL);
  } finally {
    Deno.readFileSync = readFileSync;
  }
  assertEquals(await called(handler!, [new Uint8Array(0)]), 1);
});

Deno.test("addReflection() ends a call with INVALID_ARGUMENT at a request that is no message", async () => {
  const { handlers: [handler], reported } = added();
  const outcome = await called(handler!, [Uint8Array.of(0x0a, 5)]);
  assertEquals(typeof outcome === "object" && outcome.code, Status.INVALID_ARGUMENT);
  assertEquals(reported, []);
});
