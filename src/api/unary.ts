import { ServiceError } from "../core/errors.ts";
import type { MethodDefinition, UnaryCall, UnaryHandler } from "../transport/service.ts";
import { toStatus } from "./errors.ts";
import type { ApiObserver } from "./observer.ts";
import { MalformedMessage } from "./protobuf_reader.ts";

/** What a method makes of a request: the response's bytes, or a promise of them; throws or rejects to refuse. */
export type Work = (call: UnaryCall<Uint8Array>) => Uint8Array | Promise<Uint8Array>;

const asItIs = (bytes: Uint8Array): Uint8Array => bytes;

/** A unary method of this service. Bytes go through untouched: the messages here are decoded by hand. */
export function unaryMethod(service: string, name: string): MethodDefinition<Uint8Array, Uint8Array> {
  return {
    path: `/${service}/${name}`,
    requestStream: false,
    responseStream: false,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
  };
}

/** The handler of a method. An answer that is there at once is sent at once, without a promise. */
export function unaryHandler(work: Work, observer: ApiObserver): UnaryHandler<Uint8Array, Uint8Array> {
  return (call, callback) => {
    const fail = (error: unknown) => {
      const failure = error instanceof MalformedMessage ? malformed(error) : error;
      const status = toStatus(failure);
      if (!(failure instanceof ServiceError) || failure.code === "internal") {
        observer.callFailed(call.getPath(), failure);
      }
      callback(status);
    };
    let response: Uint8Array | Promise<Uint8Array>;
    try {
      response = work(call);
    } catch (error) {
      fail(error);
      return;
    }
    if (response instanceof Promise) response.then((message) => callback(null, message), fail);
    else callback(null, response);
  };
}

function malformed(error: MalformedMessage): ServiceError {
  const violations = [{ field: "request", description: error.message }];
  return new ServiceError("invalid_argument", `Cannot read the request: it ${error.message}`, { violations });
}
