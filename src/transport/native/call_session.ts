import type { BufferPool } from "../buffer_pool.ts";
import type { MessageMemory, RoomWaiter } from "../grpc/message_memory.ts";
import { BufferBudget } from "../grpc/message_reader.ts";
import { RESPONSE_HEADERS, statusTrailers } from "../grpc/response_fields.ts";
import type { Clock } from "../../core/clock.ts";
import type { ServerConnection } from "../http2/connection.ts";
import type { RequestAcceptor } from "../http2/request_streams.ts";
import type { RequestHead } from "../http2/request_head.ts";
import type { Stream, StreamReceiver } from "../http2/stream.ts";
import type { StatusObject } from "../service.ts";
import type { CallCore } from "./call_core.ts";
import { type CallPlan, planAgain, planRequest, type RequestPlan } from "./call_plan.ts";
import type { MethodTable } from "./method_table.ts";
import { sendPlainResponse } from "./plain_response.ts";
import { openStreamingCall } from "./streaming_call.ts";
import type { TimeLimit } from "./time_limit.ts";
import { UnaryServerCall } from "./unary_call.ts";
import type { UploadLimit } from "./upload_limit.ts";

/** What the calls of all connections share. */
export interface CallEnvironment {
  readonly methods: MethodTable;
  readonly clock: Clock;
  readonly pool: BufferPool;
  readonly maxRequestBytes: number;
  /** Bounds unary calls once their request is complete, whatever deadline their clients have set. */
  readonly timeLimit: TimeLimit;
  /** Bounds how long requests take to arrive. */
  readonly uploadLimit: UploadLimit;
  readonly maxBufferedRequestBytes: number;
  /** Counts what messages of all connections hold. */
  readonly memory: MessageMemory;
  /** Hears of errors that no client is told. */
  readonly onError: (error: unknown, where: string) => void;
  /** The status with trailers for an error that has none. */
  readonly described: (status: StatusObject) => StatusObject;
}

/** Takes what is left of a request that has been answered. */
const IGNORING: StreamReceiver = { onData() {}, onEnd() {}, onDrain() {}, onShutdown() {}, onClosed() {} };

/** The gRPC calls of one connection. */
export class CallSession implements RequestAcceptor, RoomWaiter {
  readonly environment: CallEnvironment;
  readonly connection: ServerConnection;
  /** `ip:port` of the client. */
  readonly peer: string;
  readonly bufferBudget: BufferBudget;
  orphanedCalls = 0;
  #lastHead: RequestHead | undefined;
  #lastPlan: RequestPlan | undefined;
  /** Of the last call whose head was no variation of another: of most that follow, only the deadline differs. */
  #basePlan: CallPlan | undefined;
  /** Calls whose time begins in this turn; most end in it and need no timer. */
  #turnCalls: CallCore[] = [];
  /** Buffers of messages that this turn has completed; handlers may read them until it ends. */
  #turnBuffers: Uint8Array<ArrayBuffer>[] = [];
  /** Calls that wait for the client to read earlier answers, or for room in the server's memory. */
  #heldCalls: UnaryServerCall[] = [];
  /** Calls whose handler takes longer than a turn. */
  #runningCalls = 0;
  /** What the server's memory counts of answers that wait for the client. */
  #countedBytes = 0;

  constructor(environment: CallEnvironment, connection: ServerConnection, peer: string) {
    this.environment = environment;
    this.connection = connection;
    this.peer = peer;
    this.bufferBudget = new BufferBudget(environment.maxBufferedRequestBytes, environment.memory);
  }

  accept(stream: Stream, head: RequestHead): StreamReceiver {
    const plan = this.#planOf(head);
    switch (plan.kind) {
      case "call": {
        const call = plan.method.requestStream || plan.method.responseStream
          ? openStreamingCall(this, stream, plan)
          : new UnaryServerCall(this, stream, plan);
        this.armLater(call);
        return call;
      }
      case "refusal":
        stream.sendTrailers([
          ...RESPONSE_HEADERS,
          ...statusTrailers(this.environment.described(plan.status)),
        ]);
        return IGNORING;
      case "plain":
        sendPlainResponse(stream, head.method, plan.response);
        return IGNORING;
    }
  }

  onTurnEnd(): void {
    this.#countQueue();
    if (this.#heldCalls.length > 0) this.#startHeldCalls();
    if (this.#turnBuffers.length > 0) this.#releaseBuffers();
    if (this.#turnCalls.length === 0) return;
    const calls = this.#turnCalls;
    this.#turnCalls = [];
    for (const call of calls) call.armTimer();
  }

  /** Lets a call's time begin at the end of this turn, if it is then still open. */
  armLater(call: CallCore): void {
    this.#turnCalls.push(call);
  }

  /** Gives a buffer back to the pool when this turn ends. */
  retire(buffer: Uint8Array<ArrayBuffer>): void {
    this.#turnBuffers.push(buffer);
  }

  /** Whether calls have to wait before they start. */
  get isHolding(): boolean {
    return this.#heldCalls.length > 0 || this.#mustHold;
  }

  /** One call of a connection may always be under way: a lack of room slows clients down and stops none. */
  get #mustHold(): boolean {
    return this.connection.isCongested || (this.#runningCalls > 0 && this.environment.memory.isScarce);
  }

  /** Starts the call's handler, now or once the client has read more of what waits for it and there is room. */
  startOrHold(call: UnaryServerCall): void {
    if (!this.isHolding) return call.start();
    this.#heldCalls.push(call);
    this.#waitForRoom();
  }

  onRoom(): void {
    this.#startHeldCalls();
  }

  /** A call's handler takes longer than a turn; returns what {@link answered} is to be told. */
  expectAnswer(method: string): number {
    this.#runningCalls++;
    return this.environment.memory.expectAnswer(method);
  }

  /** The handler has answered, with so many octets. */
  answered(method: string, expectedBytes: number, bytes: number): void {
    this.#runningCalls--;
    this.#countQueue();
    this.environment.memory.answered(method, expectedBytes, bytes);
  }

  /** No answer comes of a call that has been cancelled; takes what {@link expectAnswer} has returned. */
  expectNoAnswer(expectedBytes: number): void {
    this.#runningCalls--;
    this.environment.memory.give(expectedBytes);
  }

  #planOf(head: RequestHead): RequestPlan {
    if (head === this.#lastHead && this.#lastPlan !== undefined) return this.#lastPlan;
    const again = this.#basePlan && planAgain(this.#basePlan, head);
    const plan = again ?? planRequest(head, this.environment.methods);
    if (plan.kind === "call" && head.variation === undefined) this.#basePlan = plan;
    this.#lastHead = head;
    return this.#lastPlan = plan;
  }

  #releaseBuffers(): void {
    for (const buffer of this.#turnBuffers) this.environment.pool.release(buffer);
    this.#turnBuffers = [];
  }

  #startHeldCalls(): void {
    let started = 0;
    while (started < this.#heldCalls.length && !this.#mustHold) {
      this.#heldCalls[started++]!.start();
    }
    this.#heldCalls = this.#heldCalls.slice(started);
    if (this.#heldCalls.length > 0) this.#waitForRoom();
  }

  /** Where the client has to read first, the next turn looks again. */
  #waitForRoom(): void {
    const { memory } = this.environment;
    if (memory.isScarce) memory.whenRoom(this);
  }

  #countQueue(): void {
    const { queuedBytes } = this.connection;
    const more = queuedBytes - this.#countedBytes;
    if (more === 0) return;
    this.#countedBytes = queuedBytes;
    if (more > 0) this.environment.memory.add(more);
    else this.environment.memory.give(-more);
  }
}
