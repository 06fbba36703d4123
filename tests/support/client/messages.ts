/** The contract as a client sees it: @grpc/proto-loader reads the proto files, without any code of the server. */
import { Buffer } from "node:buffer";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { fromJSON, loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";

const OPTIONS = {
  includeDirs: [decodeURIComponent(new URL("../../../proto", import.meta.url).pathname)],
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
};

const FILES = loadSync([
  "cacheserver/v1/cacheserver.proto",
  "google/rpc/error_details.proto",
  "grpc/health/v1/health.proto",
  "grpc/reflection/v1/reflection.proto",
], OPTIONS);

/** google/rpc/status.proto, which the contract's files do not import. */
const STATUS_FILE = fromJSON({
  nested: {
    google: {
      nested: {
        protobuf: {
          nested: {
            Any: { fields: { "type_url": { type: "string", id: 1 }, value: { type: "bytes", id: 2 } } },
          },
        },
        rpc: {
          nested: {
            Status: {
              fields: {
                code: { type: "int32", id: 1 },
                message: { type: "string", id: 2 },
                details: { rule: "repeated", type: "google.protobuf.Any", id: 3 },
              },
            },
          },
        },
      },
    },
  },
}, OPTIONS);

/** A service of the contract by its full name. */
export function serviceDefinition(name: string): ServiceDefinition {
  return FILES[name] as ServiceDefinition;
}

/** Decodes a message by its full name. */
export function decodeMessage<T>(name: string, bytes: Uint8Array): T {
  const type = (FILES[name] ?? STATUS_FILE[name]) as MessageTypeDefinition<object, object> | undefined;
  if (type === undefined) throw new TypeError(`Cannot decode ${name}: no file of the contract has it`);
  return type.deserialize(Buffer.from(bytes)) as T;
}

export interface Duration {
  readonly seconds?: number | string;
  readonly nanos?: number;
}

export interface AnyMessage {
  readonly "type_url"?: string;
  readonly value?: Uint8Array;
}

export interface EntryName {
  readonly namespace?: string;
  readonly key?: string;
}

export interface SetRequest extends EntryName {
  readonly value?: AnyMessage;
  readonly expire?: Duration;
}

export interface GetResponse {
  readonly value: Required<AnyMessage>;
  readonly expire: { readonly seconds: number; readonly nanos: number } | null;
}

export interface SecretName {
  readonly key?: string;
}

export interface SetSecretRequest extends SecretName {
  readonly name?: string;
  readonly expire?: Duration;
  readonly description?: string;
}

export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface GetSecretResponse {
  readonly userID: string;
  readonly name: string;
  readonly secretID: string;
  readonly secretKey: string;
  readonly expires: number;
  readonly status: number;
  readonly description: string;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}
