/** The messages of proto/grpc/reflection/v1/reflection.proto; those of v1alpha are the same on the wire. */
import { ProtobufReader, WireType } from "../protobuf/reader.ts";
import { decodeText } from "../protobuf/utf8_text.ts";
import { ProtobufWriter } from "../protobuf/writer.ts";

const RequestField = {
  HOST: 1,
  FILE_BY_FILENAME: 3,
  FILE_CONTAINING_SYMBOL: 4,
  FILE_CONTAINING_EXTENSION: 5,
  ALL_EXTENSION_NUMBERS_OF_TYPE: 6,
  LIST_SERVICES: 7,
} as const;

const ResponseField = {
  VALID_HOST: 1,
  ORIGINAL_REQUEST: 2,
  FILES: 4,
  EXTENSION_NUMBERS: 5,
  SERVICES: 6,
  ERROR: 7,
};

/** What can be asked for, as names of the request's oneof. */
const QUESTIONS = {
  [RequestField.FILE_BY_FILENAME]: "file_by_filename",
  [RequestField.FILE_CONTAINING_SYMBOL]: "file_containing_symbol",
  [RequestField.FILE_CONTAINING_EXTENSION]: "file_containing_extension",
  [RequestField.ALL_EXTENSION_NUMBERS_OF_TYPE]: "all_extension_numbers_of_type",
  [RequestField.LIST_SERVICES]: "list_services",
} as const;

/** ServerReflectionRequest. */
export interface ReflectionRequest {
  readonly host: string;
  /** Undefined when the request asks for nothing that this release knows. */
  readonly question: typeof QUESTIONS[keyof typeof QUESTIONS] | undefined;
  /** The name that is asked for; of an extension, that of the message it extends. */
  readonly name: string;
  /** The request as it came: the answer repeats it. */
  readonly encoded: Uint8Array;
}

/** One of the answers that ServerReflectionResponse can hold. */
export type ReflectionAnswer =
  | { readonly kind: "files"; readonly files: readonly Uint8Array[] }
  | { readonly kind: "services"; readonly names: readonly string[] }
  | { readonly kind: "no_extensions"; readonly type: string }
  | { readonly kind: "error"; readonly code: number; readonly message: string };

/** Reads a request; what it keeps is copied. */
export function decodeReflectionRequest(bytes: Uint8Array): ReflectionRequest {
  const encoded = bytes.slice();
  const reader = new ProtobufReader(encoded);
  let host = "";
  let question: ReflectionRequest["question"];
  let name = "";
  while (reader.next()) {
    if (reader.wireType !== WireType.LENGTH_DELIMITED) {
      reader.skip();
      continue;
    }
    const value = reader.bytes();
    if (reader.field === RequestField.HOST) host = decodeText(value) ?? "";
    const asked = QUESTIONS[reader.field as keyof typeof QUESTIONS];
    if (asked === undefined) continue;
    question = asked;
    name = asked === "file_containing_extension" ? extendedType(value) : decodeText(value) ?? "";
  }
  return { host, question, name, encoded };
}

/** ExtensionRequest.containing_type. */
function extendedType(encoded: Uint8Array): string {
  const reader = new ProtobufReader(encoded);
  let name = "";
  while (reader.next()) {
    if (reader.is(1, WireType.LENGTH_DELIMITED)) name = reader.text() ?? "";
    else reader.skip();
  }
  return name;
}

/** ServerReflectionResponse. */
export function encodeReflectionResponse(request: ReflectionRequest, answer: ReflectionAnswer): Uint8Array {
  return ProtobufWriter.encode((response) => {
    response.text(ResponseField.VALID_HOST, request.host)
      .bytes(ResponseField.ORIGINAL_REQUEST, request.encoded);
    switch (answer.kind) {
      case "files":
        return response.message(ResponseField.FILES, (files) => {
          for (const file of answer.files) files.bytes(1, file);
        });
      case "services":
        return response.message(ResponseField.SERVICES, (services) => {
          for (const name of answer.names) services.message(1, (service) => service.text(1, name));
        });
      case "no_extensions":
        return response.message(ResponseField.EXTENSION_NUMBERS, (none) => none.text(1, answer.type));
      case "error":
        return response.message(ResponseField.ERROR, (error) => {
          error.integer(1, answer.code).text(2, answer.message);
        });
    }
  });
}
