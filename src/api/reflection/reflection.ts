import { type Duplex, Transform } from "node:stream";
import type { GrpcServer } from "../../transport/service.ts";
import { Status } from "../../transport/status.ts";
import { DescriptorIndex } from "./descriptor_index.ts";
import {
  decodeReflectionRequest,
  encodeReflectionResponse,
  type ReflectionAnswer,
  type ReflectionRequest,
} from "./messages.ts";

/**
 * Adds grpc.reflection.v1 and v1alpha, which tell clients such as grpcurl what can be called. `files` are encoded
 * google.protobuf.FileDescriptorProtos, all that they import included.
 *
 * Our own instead of @grpc/reflection, which reads its proto files from disk, where a compiled program has none.
 */
export function addReflection(server: GrpcServer, files: readonly Uint8Array[]): void {
  const index = new DescriptorIndex(files);
  const codec = {
    requestStream: true,
    responseStream: true,
    requestDeserialize: decodeReflectionRequest,
    responseSerialize: (response: Uint8Array) => response,
  };
  for (const version of ["v1", "v1alpha"]) {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    server.addService({ ServerReflectionInfo: { path, ...codec } }, {
      ServerReflectionInfo: (call: Duplex) => answerAll(index, call),
    });
  }
}

/** Answers one request after the other, none before the answer to the last one but a few has been taken. */
function answerAll(index: DescriptorIndex, call: Duplex): void {
  const answers = new Transform({
    objectMode: true,
    transform: (request: ReflectionRequest, _encoding, done) => {
      done(null, encodeReflectionResponse(request, answerTo(index, request)));
    },
  });
  call.pipe(answers).pipe(call);
}

/** What the index knows. Exported for its test. */
export function answerTo(index: DescriptorIndex, { question, name }: ReflectionRequest): ReflectionAnswer {
  switch (question) {
    case "list_services":
      return { kind: "services", names: index.services };
    case "file_by_filename":
      return filesOr(index.fileNamed(name), `No file is called ${JSON.stringify(name)}`);
    case "file_containing_symbol":
      return filesOr(index.fileDefining(name), `No file defines ${JSON.stringify(name)}`);
    case "all_extension_numbers_of_type":
      return index.isMessage(name)
        ? { kind: "no_extensions", type: name }
        : notFound(`No message is called ${JSON.stringify(name)}`);
    case "file_containing_extension":
      return notFound(`No file extends ${JSON.stringify(name)}`);
    case undefined:
      return {
        kind: "error",
        code: Status.UNIMPLEMENTED,
        message: "The request asks for nothing that is known",
      };
  }
}

function filesOr(files: readonly Uint8Array[] | undefined, complaint: string): ReflectionAnswer {
  return files === undefined ? notFound(complaint) : { kind: "files", files };
}

function notFound(message: string): ReflectionAnswer {
  return { kind: "error", code: Status.NOT_FOUND, message };
}
