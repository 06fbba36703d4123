import { Buffer } from "node:buffer";
import { Client, credentials, type MethodDefinition } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, type PackageDefinition } from "@grpc/proto-loader";
import { serviceDefinition } from "./messages.ts";

/** A response of a reflection server; one field is set. */
interface ReflectionResponse {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] };
  readonly errorResponse?: { readonly errorCode: number; readonly errorMessage: string };
}

/** A client of server reflection, v1 or v1alpha, whose messages are the same. */
export class ReflectionClient implements Disposable {
  readonly #client: Client;
  readonly #version: "v1" | "v1alpha";

  constructor(address: string, version: "v1" | "v1alpha") {
    this.#client = new Client(address, credentials.createInsecure());
    this.#version = version;
  }

  async services(): Promise<string[]> {
    const { listServicesResponse } = await this.ask({ listServices: "" });
    return (listServicesResponse?.service ?? []).map(({ name }) => name).sort();
  }

  /** The resolved descriptors of a symbol; fails if an import is missing from the response. */
  async definitionOf(symbol: string): Promise<PackageDefinition> {
    const { fileDescriptorResponse } = await this.ask({ fileContainingSymbol: symbol });
    const files = fileDescriptorResponse?.fileDescriptorProto ?? [];
    return loadFileDescriptorSetFromBuffer(Buffer.concat(files.map(asFileOfSet)));
  }

  /** Sends one request and resolves to the response. */
  ask(request: object): Promise<ReflectionResponse> {
    const { requestSerialize, responseDeserialize } = serviceDefinition(
      "grpc.reflection.v1.ServerReflection",
    )[
      "ServerReflectionInfo"
    ] as MethodDefinition<object, ReflectionResponse>;
    const path = `/grpc.reflection.${this.#version}.ServerReflection/ServerReflectionInfo`;
    return new Promise((resolve, reject) => {
      const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      call.on("data", resolve);
      call.on("error", reject);
      call.write(request);
      call.end();
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** A file as an element of google.protobuf.FileDescriptorSet: field 1, its length as a varint, its bytes. */
function asFileOfSet(file: Uint8Array): Buffer {
  const head = [0x0a];
  let length = file.length;
  for (; length > 0x7f; length >>>= 7) head.push(length & 0x7f | 0x80);
  return Buffer.concat([Buffer.from([...head, length]), file]);
}
