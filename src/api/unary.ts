import { ServiceError } from "../core/errors.ts";
import type {
  MessageWriter,
  MethodDefinition,
  StatusObject,
  UnaryCall,
  UnaryHandler,
} from "../transport/service.ts";
import { Status, type StatusCode } from "../transport/status.ts";
import { ReturnedError, toStatus } from "./errors.ts";
import { MalformedMessage } from "./protobuf/reader.ts";

/** What the gRPC surface reports. */
export interface ApiObserver {
  /** A call failed by a mistake of this program; its client got a neutral text. */
  callFailed(path: string, error: unknown): void;
  /** Watches each call. If absent, calls cost nothing extra. */
  readonly calls?: CallWatcher | undefined;
}

/** Watches a call from its request to its response. */
export interface CallWatcher {
  /** Runs `handle`, which calls `ended` with the name of the call's gRPC status. */
  watch(path: string, handle: (ended: (status: string) => void) => void): void;
}

/** What a method does with a request: returns its result or a promise of it; throws or rejects on an error. */
export type Work<Res> = (call: UnaryCall<Uint8Array>) => Result<Res> | Promise<Result<Res>>;

type Result<Res> = Res | ReturnedError;

/** Writes a response that is encoded already. */
export const bytesWriter: MessageWriter<Uint8Array> = {
  byteLength: (message: Uint8Array) => message.length,
  write: (message: Uint8Array, bytes: Uint8Array, at: number) => bytes.set(message, at),
  pieces: (message: Uint8Array) => [message],
};

/** A unary method of this service. Requests pass through encoded; the methods decode them. */
export function unaryMethod<Res>(
  service: string,
  name: string,
  writer: MessageWriter<Res>,
): MethodDefinition<Uint8Array, Res> {
  return {
    path: `/${service}/${name}`,
    requestStream: false,
    responseStream: false,
    requestDeserialize: (bytes: Uint8Array) => bytes,
    responseSerialize: (response: Res) => encode(response, writer),
    responseWriter: writer,
  };
}

/** The handler of a method. A result that is no promise is sent synchronously. */
export function unaryHandler<Res>(work: Work<Res>, observer: ApiObserver): UnaryHandler<Uint8Array, Res> {
  const handler: UnaryHandler<Uint8Array, Res> = (call, callback) => {
    const send = (result: Result<Res>) => {
      if (result instanceof ReturnedError) callback(toStatus(result));
      else callback(null, result);
    };
    let result: Result<Res> | Promise<Result<Res>>;
    try {
      result = work(call);
    } catch (error) {
      callback(failureStatus(error, call.getPath(), observer));
      return;
    }
    if (result instanceof Promise) {
      result.then(send, (error) => callback(failureStatus(error, call.getPath(), observer)));
    } else send(result);
  };
  return observer.calls === undefined ? handler : watched(handler, observer.calls);
}

/** The status of what a handler threw; reports mistakes of this program. */
export function failureStatus(error: unknown, path: string, observer: ApiObserver): StatusObject {
  const failure = error instanceof MalformedMessage ? malformed(error) : error;
  if (!(failure instanceof ServiceError) || failure.code === "internal") observer.callFailed(path, failure);
  return toStatus(failure);
}

function watched<Res>(
  handler: UnaryHandler<Uint8Array, Res>,
  calls: CallWatcher,
): UnaryHandler<Uint8Array, Res> {
  return (call, callback) =>
    calls.watch(call.getPath(), (ended) => {
      handler(call, (error, value) => {
        // The client has cancelled, or its deadline has passed: this result is not sent.
        const isLate = call.cancelled && error?.code !== Status.CANCELLED;
        ended(isLate ? `${statusName(error)} (too late)` : statusName(error));
        callback(error, value);
      });
    });
}

const STATUS_NAMES = new Map<StatusCode, string>(Object.entries(Status).map(([name, code]) => [code, name]));

function statusName(error: StatusObject | null): string {
  return STATUS_NAMES.get(error?.code ?? Status.OK)!;
}

/** A message in a buffer of its own. */
export function encode<T>(message: T, writer: MessageWriter<T>): Uint8Array {
  const bytes = new Uint8Array(writer.byteLength(message));
  writer.write(message, bytes, 0);
  return bytes;
}

function malformed(error: MalformedMessage): ServiceError {
  const violations = [{ field: "request", description: error.message }];
  return new ServiceError("invalid_argument", `Cannot read the request: it ${error.message}`, { violations });
}
