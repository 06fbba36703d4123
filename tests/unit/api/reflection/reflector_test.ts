import { assert, assertEquals, assertThrows } from "@std/assert";
import type { MethodDefinition } from "@grpc/grpc-js";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readContract } from "../../../../src/api/contract.ts";
import { MalformedMessage } from "../../../../src/api/protobuf/reader.ts";
import { Reflector } from "../../../../src/api/reflection/reflector.ts";
import { Status } from "../../../../src/transport/status.ts";
import { serviceDefinition } from "../../../support/client/messages.ts";

/** protobufjs as the reference: what a client writes and reads. */
const REFERENCE = serviceDefinition("grpc.reflection.v1.ServerReflection")[
  "ServerReflectionInfo"
] as MethodDefinition<object, ReflectionResponse>;

interface ReflectionResponse {
  readonly validHost: string;
  readonly originalRequest: unknown;
  /** Which of the following is set. */
  readonly messageResponse: string;
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] };
  readonly errorResponse?: { readonly errorCode: number; readonly errorMessage: string };
  readonly listServicesResponse?: unknown;
  readonly allExtensionNumbersResponse?: unknown;
}

const CONTRACT = fromBinary(FileDescriptorSetSchema, readContract());
const REFLECTOR = new Reflector(readContract());

/** The response to a request, both as protobufjs has them. */
function ask(request: object, reflector = REFLECTOR): ReflectionResponse {
  return REFERENCE.responseDeserialize(reflector.answer(REFERENCE.requestSerialize(request)) as never);
}

function filesIn(response: ReflectionResponse): readonly Uint8Array[] {
  return response.fileDescriptorResponse?.fileDescriptorProto ?? [];
}

function fileNames(response: ReflectionResponse): string[] {
  return filesIn(response).map((file) => fromBinary(FileDescriptorProtoSchema, file).name);
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

Deno.test("Reflector lists the services of the contract", () => {
  const names = [
    "cacheserver.v1.CacheServer",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
  ];
  assertEquals(plain(ask({ listServices: "*" }).listServicesResponse), {
    service: names.map((name) => ({ name })),
  });
});

Deno.test("Reflector finds what is defined at any depth, and the file with it", () => {
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
    assertEquals(fileNames(ask({ fileContainingSymbol: symbol }))[0], file, symbol);
  }
});

Deno.test("Reflector hands out a file with all that it imports, directly or not, each once", () => {
  const [file, ...imported] = fileNames(ask({ fileByFilename: "cacheserver/v1/cacheserver.proto" }));
  assertEquals(file, "cacheserver/v1/cacheserver.proto");
  assertEquals(imported.sort(), [
    "cacheserver/v1/namespaced.proto",
    "cacheserver/v1/secret.proto",
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/timestamp.proto",
  ]);
  assertEquals(fileNames(ask({ fileByFilename: "google/protobuf/any.proto" })), [
    "google/protobuf/any.proto",
  ]);
});

Deno.test("Reflector hands out every file byte for byte as buf wrote it", () => {
  const latin1 = new TextDecoder("latin1");
  const written = latin1.decode(readContract());
  for (const { name } of CONTRACT.file) {
    const [file] = filesIn(ask({ fileByFilename: name }));
    assert(written.includes(latin1.decode(file)), name);
  }
});

Deno.test("Reflector answers NOT_FOUND for what is not there, and UNIMPLEMENTED for an unknown question", () => {
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
    assertEquals(ask(request).errorResponse?.errorCode, code, JSON.stringify(request));
  }
});

Deno.test("Reflector answers that no message of the contract is extended", () => {
  assertEquals(
    plain(ask({ allExtensionNumbersOfType: "google.rpc.BadRequest" }).allExtensionNumbersResponse),
    {
      extensionNumber: [],
      baseTypeName: "google.rpc.BadRequest",
    },
  );
  for (const file of CONTRACT.file) assertEquals(file.extension, [], `${file.name} has extensions`);
});

Deno.test("Reflector finds extensions by their message and number, where a file has some", () => {
  const extending = create(FileDescriptorProtoSchema, {
    name: "extending.proto",
    package: "x",
    syntax: "proto2",
    messageType: [{ name: "M", extensionRange: [{ start: 100, end: 200 }] }],
    extension: [{ name: "e", number: 123, label: 1, type: 9, extendee: ".x.M" }],
  });
  const files = create(FileDescriptorSetSchema, { file: [...CONTRACT.file, extending] });
  const reflector = new Reflector(toBinary(FileDescriptorSetSchema, files));
  assertEquals(plain(ask({ allExtensionNumbersOfType: "x.M" }, reflector).allExtensionNumbersResponse), {
    extensionNumber: [123],
    baseTypeName: "x.M",
  });
  const named = (extensionNumber: number) => ({
    fileContainingExtension: { containingType: "x.M", extensionNumber },
  });
  assertEquals(fileNames(ask(named(123), reflector)), ["extending.proto"]);
  assertEquals(ask(named(124), reflector).errorResponse?.errorCode, Status.NOT_FOUND);
});

Deno.test("Reflector repeats the host and the request in each response, which names its kind", () => {
  const questions = {
    fileDescriptorResponse: { fileContainingSymbol: "cacheserver.v1.CacheServer" },
    listServicesResponse: { listServices: "*" },
    allExtensionNumbersResponse: { allExtensionNumbersOfType: "google.rpc.BadRequest" },
    errorResponse: { fileContainingSymbol: "x.Y" },
  };
  for (const [kind, question] of Object.entries(questions)) {
    const request = { host: "h", ...question };
    const { validHost, originalRequest, messageResponse, ...rest } = ask(request);
    assertEquals([validHost, messageResponse], ["h", kind]);
    assertEquals(plain(originalRequest), { ...request, messageRequest: Object.keys(question)[0] });
    assertEquals(Object.keys(rest), [kind]);
  }
});

Deno.test("Reflector.answer() refuses bytes that are no message", () => {
  assertThrows(() => REFLECTOR.answer(Uint8Array.of(0x0a, 5)), MalformedMessage);
});
