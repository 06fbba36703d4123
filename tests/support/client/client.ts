import { Buffer } from "node:buffer";
import {
  type CallOptions,
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { assert, assertEquals } from "@std/assert";
import type { MethodName } from "../../../src/api/cache_server.ts";
import { CallError } from "./errors.ts";
import {
  type EntryName,
  type GetResponse,
  type GetSecretResponse,
  type SecretName,
  serviceDefinition,
  type SetRequest,
  type SetSecretRequest,
} from "./messages.ts";

const CACHE_SERVER = serviceDefinition("cacheserver.v1.CacheServer");
const HEALTH = serviceDefinition("grpc.health.v1.Health");

/** Every method of the service. */
export const METHODS = Object.keys(CACHE_SERVER) as MethodName[];

/** An ordinary client on grpc-js, with its own connection. Failed calls reject with a {@link CallError}. */
export class CacheClient implements Disposable {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      // Without it, clients of one address share a connection.
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_send_message_length": -1,
      "grpc.initial_reconnect_backoff_ms": 100,
    });
  }

  async set(request: SetRequest): Promise<void> {
    await this.call("Set", request);
  }

  get(name: EntryName): Promise<GetResponse> {
    return this.call("Get", name);
  }

  async delete(name: EntryName): Promise<void> {
    await this.call("Del", name);
  }

  async setSecret(request: SetSecretRequest): Promise<void> {
    await this.call("SetSecret", request);
  }

  getSecret(name: SecretName): Promise<GetSecretResponse> {
    return this.call("GetSecret", name);
  }

  async deleteSecret(name: SecretName): Promise<void> {
    await this.call("DelSecret", name);
  }

  /** Calls a method; `signal` cancels it. */
  call<Res>(
    method: MethodName,
    request: object,
    options: CallOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<Res> {
    const definition = CACHE_SERVER[method] as MethodDefinition<object, Res>;
    return this.#unary(definition, request, options);
  }

  /** Calls a method with any bytes as the request; resolves to the response's bytes. */
  callBytes(method: MethodName, request: Uint8Array): Promise<Uint8Array> {
    const { path } = CACHE_SERVER[method]!;
    const asItIs = (bytes: Uint8Array) => Buffer.from(bytes);
    return this.#unary({ path, requestSerialize: asItIs, responseDeserialize: asItIs }, request, {});
  }

  /** The health of a service or tier: `SERVING`, `NOT_SERVING`. */
  async health(service: string): Promise<string> {
    const definition = HEALTH["Check"] as MethodDefinition<object, { readonly status: string }>;
    return (await this.#unary(definition, { service }, {})).status;
  }

  /** A health watch; end it by `cancel()`. */
  watchHealth(service: string): ClientReadableStream<{ readonly status: string }> {
    const { path, requestSerialize, responseDeserialize } = HEALTH["Watch"] as MethodDefinition<
      object,
      { readonly status: string }
    >;
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  #unary<Req, Res>(
    method: Pick<MethodDefinition<Req, Res>, "path" | "requestSerialize" | "responseDeserialize">,
    request: Req,
    { signal, ...options }: CallOptions & { readonly signal?: AbortSignal },
  ): Promise<Res> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response?: Res) => {
        if (error !== null) reject(new CallError(error));
        else resolve(response!);
      };
      const { path, requestSerialize, responseDeserialize } = method;
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        done,
      );
      signal?.addEventListener("abort", () => call.cancel(), { once: true });
    });
  }
}

/** The bytes of a request, as protobufjs encodes it. */
export function encodeRequest(method: MethodName, request: object): Uint8Array {
  return CACHE_SERVER[method]!.requestSerialize(request);
}

/** The error of a call; fails if the call succeeds. */
export async function refusal(call: Promise<unknown>): Promise<CallError> {
  const outcome = await call.then(() => "ok" as const, (error: unknown) => error);
  if (outcome instanceof CallError) return outcome;
  throw new Error("Expected the call to fail with a status, but it did not", { cause: outcome });
}

/** Expects a call to fail with UNAVAILABLE for this tier, with a time to retry. */
export async function expectUnavailable(call: Promise<unknown>, tier: "redis" | "database"): Promise<void> {
  const error = await refusal(call);
  assertEquals(error.code, "UNAVAILABLE");
  assertEquals(error.info, { reason: "STORE_UNAVAILABLE", domain: "cacheserver.v1", metadata: { tier } });
  assert(error.retryAfterMs !== undefined && error.retryAfterMs > 0, "the error has a time to retry");
}
