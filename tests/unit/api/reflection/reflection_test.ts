import { assertEquals } from "@std/assert";
import type { MethodDefinition } from "@grpc/grpc-js";
import { loadContract } from "../../../../src/api/contract.ts";
import { DescriptorIndex } from "../../../../src/api/reflection/descriptor_index.ts";
import { answerTo } from "../../../../src/api/reflection/reflection.ts";
import {
  decodeReflectionRequest,
  encodeReflectionResponse,
  type ReflectionAnswer,
} from "../../../../src/api/reflection/messages.ts";
import { ProtobufReader, WireType } from "../../../../src/api/protobuf/reader.ts";
import { Status } from "../../../../src/transport/status.ts";
import { serviceDefinition } from "../../../support/client/messages.ts";

/** protobufjs as the reference: what a client writes and reads. */
const REFERENCE = serviceDefinition("grpc.reflection.v1.ServerReflection")[
  "ServerReflectionInfo"
] as MethodDefinition<object, Record<string, unknown>>;

const INDEX = new DescriptorIndex(loadContract());

/** What is answered to a request as protobufjs writes it. */
function asked(request: object): ReflectionAnswer {
  return answerTo(INDEX, decodeReflectionRequest(REFERENCE.requestSerialize(request)));
}

/** The name of an encoded FileDescriptorProto. */
function nameOf(file: Uint8Array): string {
  const reader = new ProtobufReader(file);
  while (reader.next()) {
    if (reader.is(1, WireType.LENGTH_DELIMITED)) return new TextDecoder().decode(reader.bytes());
    reader.skip();
  }
  return "";
}

function fileNames(answer: ReflectionAnswer): string[] {
  return answer.kind === "files" ? answer.files.map(nameOf) : [answer.kind];
}

Deno.test("addReflection() lists the services of the contract", () => {
  assertEquals(asked({ listServices: "*" }), {
    kind: "services",
    names: ["cacheserver.v1.CacheServer", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"],
  });
});

Deno.test("DescriptorIndex finds what is defined at any depth, and the file with it", () => {
  const symbols = {
    "cacheserver.v1.CacheServer": "cacheserver/v1/cacheserver.proto",
    "cacheserver.v1.CacheServer.SetSecret": "cacheserver/v1/cacheserver.proto",
    "cacheserver.v1.SetRequest": "cacheserver/v1/namespaced.proto",
    "cacheserver.v1.SetRequest.expire": "cacheserver/v1/namespaced.proto",
    "cacheserver.v1.ErrorReason": "cacheserver/v1/errors.proto",
    "cacheserver.v1.KEY_NOT_FOUND": "cacheserver/v1/errors.proto",
    "google.rpc.BadRequest.FieldViolation.field": "google/rpc/error_details.proto",
    "grpc.health.v1.HealthCheckResponse.ServingStatus": "grpc/health/v1/health.proto",
    "grpc.health.v1.HealthCheckResponse.NOT_SERVING": "grpc/health/v1/health.proto",
    "grpc.reflection.v1.ServerReflectionRequest.message_request": "grpc/reflection/v1/reflection.proto",
  };
  for (const [symbol, file] of Object.entries(symbols)) {
    assertEquals(fileNames(asked({ fileContainingSymbol: symbol }))[0], file, symbol);
  }
});

Deno.test("DescriptorIndex hands out a file with all that it imports, directly or not, each once", () => {
  const [file, ...imported] = fileNames(asked({ fileByFilename: "cacheserver/v1/cacheserver.proto" }));
  assertEquals(file, "cacheserver/v1/cacheserver.proto");
  assertEquals(imported.sort(), [
    "cacheserver/v1/namespaced.proto",
    "cacheserver/v1/secret.proto",
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/timestamp.proto",
  ]);
  assertEquals(fileNames(asked({ fileByFilename: "google/protobuf/any.proto" })), [
    "google/protobuf/any.proto",
  ]);
});

Deno.test("addReflection() says NOT_FOUND of what is not there, and UNIMPLEMENTED of what it does not know", () => {
  const requests = [
    [{ fileContainingSymbol: "cacheserver.v1.Nothing" }, Status.NOT_FOUND],
    [{ fileContainingSymbol: "" }, Status.NOT_FOUND],
    [{ fileByFilename: "nothing.proto" }, Status.NOT_FOUND],
    [{ allExtensionNumbersOfType: "cacheserver.v1.ErrorReason" }, Status.NOT_FOUND],
    [
      { fileContainingExtension: { containingType: "google.rpc.BadRequest", extensionNumber: 7 } },
      Status.NOT_FOUND,
    ],
    [{ host: "h" }, Status.UNIMPLEMENTED],
  ] as const;
  for (const [request, code] of requests) {
    const answer = asked(request);
    assertEquals(answer.kind === "error" ? answer.code : answer, code, JSON.stringify(request));
  }
});

Deno.test("addReflection() says that no message of the contract is extended", () => {
  assertEquals(asked({ allExtensionNumbersOfType: "google.rpc.BadRequest" }), {
    kind: "no_extensions",
    type: "google.rpc.BadRequest",
  });
  /** FileDescriptorProto.extension */
  const EXTENSION_FIELD = 7;
  for (const file of loadContract()) {
    const reader = new ProtobufReader(file);
    while (reader.next()) {
      assertEquals(reader.field === EXTENSION_FIELD, false, `${nameOf(file)} has extensions`);
      reader.skip();
    }
  }
});

Deno.test("encodeReflectionResponse() writes what protobufjs reads, with the request in it", () => {
  const question = { host: "h", fileContainingSymbol: "x.Y" };
  const request = decodeReflectionRequest(REFERENCE.requestSerialize(question));
  const answers: readonly [ReflectionAnswer, object][] = [
    [{ kind: "files", files: [Uint8Array.of(1, 2), Uint8Array.of(3)] }, {
      fileDescriptorResponse: { fileDescriptorProto: [[1, 2], [3]] },
    }],
    [{ kind: "services", names: ["a.B", "c.D"] }, {
      listServicesResponse: { service: [{ name: "a.B" }, { name: "c.D" }] },
    }],
    [{ kind: "no_extensions", type: "a.B" }, {
      allExtensionNumbersResponse: { extensionNumber: [], baseTypeName: "a.B" },
    }],
    [{ kind: "error", code: 5, message: "not there" }, {
      errorResponse: { errorCode: 5, errorMessage: "not there" },
    }],
  ];
  for (const [answer, expected] of answers) {
    const { validHost, originalRequest, messageResponse, ...rest } = JSON.parse(JSON.stringify(
      REFERENCE.responseDeserialize(encodeReflectionResponse(request, answer) as never),
      (_name, value) => value instanceof Uint8Array ? [...value] : value,
    ));
    assertEquals(validHost, "h");
    assertEquals(originalRequest.fileContainingSymbol, "x.Y");
    assertEquals(rest, expected);
    assertEquals(messageResponse, Object.keys(expected)[0]);
  }
});
