/** grpc-js's client with octets for messages, as promises. */
import { Buffer } from "node:buffer";
import {
  type CallOptions,
  Client,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import type { MethodDefinition, ServiceDefinition } from "../../src/transport/service.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";

/** A message of handlers; on the wire it is its text. */
export interface EchoMessage {
  readonly text: string;
}

const ECHO_PATH = "/conformance.Echo";

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<EchoMessage, EchoMessage> {
  return {
    path: `${ECHO_PATH}/${name}`,
    requestStream,
    responseStream,
    requestDeserialize: (bytes) => ({ text: new TextDecoder().decode(bytes) }),
    responseSerialize: ({ text }) => new TextEncoder().encode(text),
  };
}

const encoder = new TextEncoder();

/** A service of all kinds of calls, with text for messages. */
export const ECHO_SERVICE: ServiceDefinition = {
  Unary: method("Unary", false, false),
  Written: {
    ...method("Written", false, false),
    responseWriter: {
      byteLength: ({ text }) => encoder.encode(text).length,
      write: ({ text }, bytes, at) => void encoder.encodeInto(text, bytes.subarray(at)),
      pieces: ({ text }) => [encoder.encode(text)],
    },
  },
  ClientStream: method("ClientStream", true, false),
  ServerStream: method("ServerStream", false, true),
  Bidi: method("Bidi", true, true),
  Missing: method("Missing", false, false),
};

/** How a call ended. */
export interface Outcome {
  readonly responses: readonly string[];
  readonly status: StatusObject;
  readonly headers: Metadata;
}

/** The options of a unary call. */
type UnaryOptions = CallOptions & { readonly metadata?: Metadata; readonly signal?: AbortSignal };

/** A connection to a server under test. */
export class TestClient implements Disposable {
  readonly #client: Client;

  constructor({ hostname, port }: Endpoint, options: Record<string, unknown> = {}) {
    this.#client = new Client(`${hostname}:${port}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      // Otherwise calls would share a connection with other clients of the process.
      "grpc.use_local_subchannel_pool": 1,
      ...options,
    });
  }

  /** Makes a unary call of the echo service; never rejects. */
  unary(name: string, request: string, options: UnaryOptions = {}): Promise<Outcome> {
    return this.unaryAt(`${ECHO_PATH}/${name}`, request, options);
  }

  unaryAt(path: string, request: string, options: UnaryOptions = {}): Promise<Outcome> {
    const { metadata = new Metadata(), signal, ...callOptions } = options;
    const responses: string[] = [];
    const call = this.#client.makeUnaryRequest(
      path,
      serialize,
      deserialize,
      request,
      metadata,
      callOptions,
      collect(responses),
    );
    return outcomeOf(call, responses, signal);
  }

  /** Sends all requests of a streaming call of the echo service and reads all responses; never rejects. */
  stream(
    name: "ClientStream" | "ServerStream" | "Bidi",
    requests: readonly string[],
    signal?: AbortSignal,
  ): Promise<Outcome> {
    const path = `${ECHO_PATH}/${name}`;
    const responses: string[] = [];
    switch (name) {
      case "Bidi":
        return this.streamAt(path, requests);
      case "ServerStream": {
        const call = this.#client.makeServerStreamRequest(path, serialize, deserialize, requests[0]!);
        call.on("data", (response: string) => responses.push(response));
        return outcomeOf(call, responses, signal);
      }
      case "ClientStream": {
        const call = this.#client.makeClientStreamRequest(path, serialize, deserialize, collect(responses));
        for (const request of requests) call.write(request);
        call.end();
        return outcomeOf(call, responses, signal);
      }
    }
  }

  /** Makes a call with streams both ways. */
  streamAt(path: string, requests: readonly string[]): Promise<Outcome> {
    const responses: string[] = [];
    const call = this.#client.makeBidiStreamRequest(path, serialize, deserialize);
    call.on("data", (response: string) => responses.push(response));
    for (const request of requests) call.write(request);
    call.end();
    return outcomeOf(call, responses);
  }

  /** Collects the responses of a call with a stream of them in `responses`, until it ends. */
  async watchAt(
    path: string,
    request: string,
    responses: string[],
    signal: AbortSignal,
  ): Promise<StatusObject> {
    const call = this.#client.makeServerStreamRequest(path, serialize, deserialize, request);
    call.on("data", (response: string) => responses.push(response));
    return (await outcomeOf(call, responses, signal)).status;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function outcomeOf(
  call: ClientUnaryCall,
  responses: readonly string[],
  signal?: AbortSignal,
): Promise<Outcome> {
  signal?.addEventListener("abort", () => call.cancel(), { once: true });
  let headers = new Metadata();
  call.on("metadata", (received: Metadata) => headers = received);
  call.on("error", () => {});
  return new Promise((resolve) => {
    call.on("status", (status: StatusObject) => resolve({ responses, status, headers }));
  });
}

function collect(responses: string[]): (error: ServiceError | null, response?: string) => void {
  return (_error, response) => {
    if (response !== undefined) responses.push(response);
  };
}

function serialize(value: string): Buffer {
  return Buffer.from(value);
}

function deserialize(bytes: Buffer): string {
  return bytes.toString();
}
