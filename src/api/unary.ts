import { ServiceError } from "../core/errors.ts";
import type {
  MessageWriter,
  MethodDefinition,
  StatusObject,
  UnaryCall,
  UnaryHandler,
} from "../transport/service.ts";
import { Status, type StatusCode } from "../transport/status.ts";
import { refusalStatus, toStatus } from "./errors.ts";
import type { ApiObserver, CallWatcher } from "./observer.ts";
import { MalformedMessage } from "./protobuf/reader.ts";
import { Refusal } from "./refusal.ts";

/** What a method makes of a request: an answer, or a promise of it; throws or rejects where something is wrong. */
export type Work<Res> = (call: UnaryCall<Uint8Array>) => Answer<Res> | Promise<Answer<Res>>;

/** The response, or that there is none. */
type Answer<Res> = Res | Refusal;

/** Writes a response that is encoded already. */
export const bytesWriter: MessageWriter<Uint8Array> = {
  byteLength: (message: Uint8Array) => message.length,
  write: (message: Uint8Array, bytes: Uint8Array, at: number) => bytes.set(message, at),
  pieces: (message: Uint8Array) => [message],
};

/** A unary method of this service. Requests go through untouched: the messages here are decoded by hand. */
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

/** The handler of a method. An answer that is there at once is sent at once, without a promise. */
export function unaryHandler<Res>(work: Work<Res>, observer: ApiObserver): UnaryHandler<Uint8Array, Res> {
  const statusOf = (error: unknown, call: UnaryCall<Uint8Array>) => {
    const failure = error instanceof MalformedMessage ? malformed(error) : error;
    if (!(failure instanceof ServiceError) || failure.code === "internal") {
      observer.callFailed(call.getPath(), failure);
    }
    return toStatus(failure);
  };
  const handler: UnaryHandler<Uint8Array, Res> = (call, callback) => {
    const send = (answer: Answer<Res>) => {
      if (answer instanceof Refusal) callback(refusalStatus(answer));
      else callback(null, answer);
    };
    let answer: Answer<Res> | Promise<Answer<Res>>;
    try {
      answer = work(call);
    } catch (error) {
      callback(statusOf(error, call));
      return;
    }
    if (answer instanceof Promise) answer.then(send, (error) => callback(statusOf(error, call)));
    else send(answer);
  };
  return observer.calls === undefined ? handler : watched(handler, observer.calls);
}

function watched<Res>(
  handler: UnaryHandler<Uint8Array, Res>,
  calls: CallWatcher,
): UnaryHandler<Uint8Array, Res> {
  return (call, callback) =>
    calls.watch(call.getPath(), (ended) => {
      handler(call, (error, value) => {
        // What is answered to a call that its client has given up, or whose time is over, goes nowhere.
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
