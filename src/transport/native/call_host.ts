import type { Clock } from "../../core/clock.ts";
import type { DeadlineQueue } from "../../core/deadline_queue.ts";
import type { BufferPool } from "../buffer_pool.ts";
import type { MessageMemory } from "../grpc/message_memory.ts";
import type { BufferBudget } from "../grpc/message_reader.ts";
import type { StatusObject } from "../service.ts";
import type { MethodTable } from "./method_table.ts";
import type { UploadLimit } from "./upload_limit.ts";

/** What the calls of all connections share. */
export interface CallEnvironment {
  readonly methods: MethodTable;
  readonly clock: Clock;
  readonly pool: BufferPool;
  readonly maxRequestBytes: number;
  /** Bounds unary calls once their request is complete, whatever deadline their clients have set. */
  readonly timeLimit: DeadlineQueue;
  /** Bounds how long requests take to arrive. */
  readonly uploadLimit: UploadLimit;
  readonly maxBufferedRequestBytes: number;
  /** Counts what messages of all connections hold. */
  readonly memory: MessageMemory;
  /** Reports an error that is not sent to the client. */
  readonly onError: (error: unknown, where: string) => void;
  /** Adds error details, as trailers, to a status that has none. */
  readonly withDetails: (status: StatusObject) => StatusObject;
}

/** What a call needs of its connection. */
export interface CallHost {
  readonly environment: CallEnvironment;
  /** `ip:port` of the client. */
  readonly peer: string;
  readonly bufferBudget: BufferBudget;
  /** Calls whose handler still runs although their stream is gone. */
  orphanedCalls: number;
  /** Whether calls have to wait before they start. */
  readonly isHolding: boolean;
  /** A request message is complete. */
  messageReceived(): void;
  /** Arms the call's timer at the end of this turn. */
  armLater(call: { armTimer(): void }): void;
  /** Returns a buffer to the pool when this turn ends. */
  retire(buffer: Uint8Array<ArrayBuffer>): void;
  /** Starts the call now, or once the client has read more of its responses and there is room. */
  startOrHold(call: { start(): void }): void;
  /** The handler takes longer than a turn. Returns the bytes to pass to {@link responseReady}. */
  expectResponse(method: string): number;
  /** The handler has responded with `bytes`. */
  responseReady(method: string, expectedBytes: number, bytes: number): void;
  /** The call is cancelled; takes what {@link expectResponse} returned. */
  expectNoResponse(expectedBytes: number): void;
}
