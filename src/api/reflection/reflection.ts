import { type Duplex, Transform } from "node:stream";
import type { GrpcServer } from "../../transport/service.ts";
import { readContract } from "../contract.ts";
import { type ApiObserver, failureStatus } from "../unary.ts";
import type { Reflector } from "./reflector.ts";

/** Adds grpc.reflection.v1 and v1alpha, which tell clients such as grpcurl what can be called. */
export function addReflection(server: GrpcServer, observer: ApiObserver): void {
  let loading: Promise<Reflector> | undefined;
  // A failure is not kept: it may have been the lack of a file descriptor.
  const load = () =>
    loading ??= loadReflector().catch((error) => {
      loading = undefined;
      throw error;
    });
  const codec = {
    requestStream: true,
    responseStream: true,
    // Copied, because a request may wait for the reflector.
    requestDeserialize: (request: Uint8Array) => request.slice(),
    responseSerialize: (response: Uint8Array) => response,
  };
  for (const version of ["v1", "v1alpha"]) {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    server.addService({ ServerReflectionInfo: { path, ...codec } }, {
      ServerReflectionInfo(call: Duplex) {
        const responses = answers(load);
        responses.on("error", (error) => call.emit("error", failureStatus(error, path, observer)));
        call.pipe(responses).pipe(call);
      },
    });
  }
}

async function loadReflector(): Promise<Reflector> {
  const { Reflector } = await import("./reflector.ts");
  return new Reflector(readContract());
}

/** Turns requests into responses, one after the other, as fast as the client takes the responses. */
function answers(load: () => Promise<Reflector>): Transform {
  return new Transform({
    objectMode: true,
    transform(request: Uint8Array, _encoding, done) {
      load().then((reflector) => reflector.answer(request))
        .then((response) => done(null, response), (error) => done(error));
    },
  });
}
