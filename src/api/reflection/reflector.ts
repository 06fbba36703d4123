/**
 * What server reflection answers, by @bufbuild/protobuf. Loading the package and the contract takes 50 ms, so
 * reflection.ts imports this file at its first call.
 *
 * Not @grpc/reflection, which reads its proto files from disk: a compiled program has none.
 */
import {
  create,
  createFileRegistry,
  type DescFile,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Status } from "../../transport/status.ts";
import { MalformedMessage } from "../protobuf/reader.ts";

const PACKAGE = "grpc.reflection.v1";

/** ServerReflectionRequest of proto/grpc/reflection/v1/reflection.proto; v1alpha's is the same on the wire. */
type ReflectionRequest = Message<`${typeof PACKAGE}.ServerReflectionRequest`> & {
  host: string;
  messageRequest:
    | { case: "fileByFilename" | "fileContainingSymbol"; value: string }
    | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
    | { case: "allExtensionNumbersOfType" | "listServices"; value: string }
    | { case: undefined; value?: undefined };
};

/** ServerReflectionResponse. */
type ReflectionResponse = Message<`${typeof PACKAGE}.ServerReflectionResponse`> & {
  validHost: string;
  originalRequest?: ReflectionRequest;
  messageResponse: MessageResponse;
};

type MessageResponse =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** Answers reflection requests about a set of proto files, which holds reflection's own. */
export class Reflector {
  readonly #registry: FileRegistry;
  readonly #request: GenMessage<ReflectionRequest>;
  readonly #response: GenMessage<ReflectionResponse>;
  /** By full name: types, and the fields, oneofs, enum values and methods in them. */
  readonly #fileOfSymbol: ReadonlyMap<string, DescFile>;

  /** `files` is an encoded google.protobuf.FileDescriptorSet, all that its files import included. */
  constructor(files: Uint8Array) {
    this.#registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, files));
    this.#request = this.#message("ServerReflectionRequest") as GenMessage<ReflectionRequest>;
    this.#response = this.#message("ServerReflectionResponse") as GenMessage<ReflectionResponse>;
    this.#fileOfSymbol = filesOfSymbols(this.#registry);
  }

  /** The response to an encoded request. @throws {MalformedMessage} */
  answer(bytes: Uint8Array): Uint8Array {
    let request: ReflectionRequest;
    try {
      request = fromBinary(this.#request, bytes);
    } catch (error) {
      throw new MalformedMessage(error instanceof Error ? error.message : String(error));
    }
    return toBinary(
      this.#response,
      create(this.#response, {
        validHost: request.host,
        originalRequest: request,
        messageResponse: this.#messageResponse(request),
      }),
    );
  }

  #messageResponse({ messageRequest: asked }: ReflectionRequest): MessageResponse {
    switch (asked.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: this.#services() } };
      case "fileByFilename":
        return filesOr(
          this.#registry.getFile(asked.value),
          `No file is called ${JSON.stringify(asked.value)}`,
        );
      case "fileContainingSymbol":
        return filesOr(this.#fileOfSymbol.get(asked.value), `No file defines ${JSON.stringify(asked.value)}`);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = asked.value;
        const extended = this.#registry.getMessage(containingType);
        const extension = extended && this.#registry.getExtensionFor(extended, extensionNumber);
        return filesOr(
          extension?.file,
          `No file extends ${JSON.stringify(containingType)} with number ${extensionNumber}`,
        );
      }
      case "allExtensionNumbersOfType":
        return this.#extensionNumbers(asked.value);
      case undefined:
        return errorResponse(Status.UNIMPLEMENTED, "The request asks for nothing that this release supports");
    }
  }

  #services(): { name: string }[] {
    return [...this.#registry].filter(({ kind }) => kind === "service").map(({ typeName }) => ({
      name: typeName,
    }));
  }

  #extensionNumbers(name: string): MessageResponse {
    const type = this.#registry.getMessage(name);
    if (type === undefined) {
      return errorResponse(Status.NOT_FOUND, `No message is called ${JSON.stringify(name)}`);
    }
    const numbers = [...this.#registry].flatMap((each) =>
      each.kind === "extension" && each.extendee === type ? [each.number] : []
    );
    return {
      case: "allExtensionNumbersResponse",
      value: { baseTypeName: type.typeName, extensionNumber: numbers },
    };
  }

  #message(name: string): DescMessage {
    const message = this.#registry.getMessage(`${PACKAGE}.${name}`);
    if (message === undefined) throw new TypeError(`The descriptor set has no ${PACKAGE}.${name}`);
    return message;
  }
}

function filesOfSymbols(registry: FileRegistry): Map<string, DescFile> {
  const files = new Map<string, DescFile>();
  for (const type of registry) {
    files.set(type.typeName, type.file);
    for (const symbol of membersOf(type)) files.set(symbol, type.file);
  }
  return files;
}

/** The full names of what is declared in a type. */
function membersOf(type: ReturnType<FileRegistry["get"]> & object): string[] {
  const { typeName } = type;
  switch (type.kind) {
    case "message":
      return [...type.fields, ...type.oneofs].map(({ name }) => `${typeName}.${name}`);
    case "service":
      return type.methods.map(({ name }) => `${typeName}.${name}`);
    case "enum": {
      // By protobuf's rules an enum's values are its siblings, not its children.
      const scope = typeName.slice(0, typeName.lastIndexOf(".") + 1);
      return type.values.map(({ name }) => scope + name);
    }
    case "extension":
      return [];
  }
}

/** The file and all that it imports, directly or not, each once. */
function filesOr(file: DescFile | undefined, notFound: string): MessageResponse {
  if (file === undefined) return errorResponse(Status.NOT_FOUND, notFound);
  const files = new Set([file]);
  // A set that grows during its iteration is iterated to its new end.
  for (const { dependencies } of files) dependencies.forEach((imported) => files.add(imported));
  const encoded = [...files].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: encoded } };
}

function errorResponse(errorCode: number, errorMessage: string): MessageResponse {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
