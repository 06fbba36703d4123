import type { RoomWaiter } from "../grpc/message_memory.ts";
import { BufferBudget } from "../grpc/message_reader.ts";
import { RESPONSE_HEADERS, statusTrailers } from "../grpc/response_fields.ts";
import type { ServerConnection } from "../http2/connection.ts";
import type { RequestHead } from "../http2/request_head.ts";
import type { RequestAcceptor } from "../http2/request_streams.ts";
import type { Stream, StreamReceiver } from "../http2/stream.ts";
import type { CallEnvironment, CallHost } from "./call_host.ts";
import { sendPlainResponse } from "./plain_response.ts";
import { type RoutedCall, type RoutedRequest, routeRequest, routeVariation } from "./request_routing.ts";
import { openStreamingCall } from "./streaming_call.ts";
import { UnaryServerCall } from "./unary_call.ts";

/** Drops the rest of a request that is already answered. */
const DISCARDING: StreamReceiver = { onData() {}, onEnd() {}, onDrain() {}, onShutdown() {}, onClosed() {} };

/** The gRPC calls of one connection. */
export class ConnectionCalls implements RequestAcceptor, RoomWaiter, CallHost {
  readonly environment: CallEnvironment;
  readonly peer: string;
  readonly bufferBudget: BufferBudget;
  orphanedCalls = 0;
  readonly #connection: ServerConnection;
  #lastHead: RequestHead | undefined;
  #lastRoute: RoutedRequest | undefined;
  /** The last call whose head was no variation of another. Most calls after it differ in the deadline only. */
  #baseRoute: RoutedCall | undefined;
  /** Calls whose timers are armed when this turn ends. Most calls end in it and need none. */
  #turnCalls: { armTimer(): void }[] = [];
  /** Buffers of messages completed in this turn. Handlers may read them until it ends. */
  #turnBuffers: Uint8Array<ArrayBuffer>[] = [];
  /** Calls that wait for the client to read earlier responses, or for room in the server's memory. */
  #heldCalls: { start(): void }[] = [];
  /** Calls whose handler takes longer than a turn. */
  #runningCalls = 0;
  /** Queued response bytes that count in the server's memory. */
  #countedBytes = 0;

  constructor(environment: CallEnvironment, connection: ServerConnection, peer: string) {
    this.environment = environment;
    this.#connection = connection;
    this.peer = peer;
    this.bufferBudget = new BufferBudget(environment.maxBufferedRequestBytes, environment.memory);
  }

  accept(stream: Stream, head: RequestHead): StreamReceiver {
    const route = this.#routeOf(head);
    switch (route.kind) {
      case "call": {
        const call = route.method.requestStream || route.method.responseStream
          ? openStreamingCall(this, stream, route)
          : new UnaryServerCall(this, stream, route);
        this.armLater(call);
        return call;
      }
      case "refusal":
        stream.sendTrailers([
          ...RESPONSE_HEADERS,
          ...statusTrailers(this.environment.withDetails(route.status)),
        ]);
        return DISCARDING;
      case "plain":
        sendPlainResponse(stream, head.method, route.response);
        return DISCARDING;
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

  messageReceived(): void {
    this.#connection.messageReceived();
  }

  armLater(call: { armTimer(): void }): void {
    this.#turnCalls.push(call);
  }

  retire(buffer: Uint8Array<ArrayBuffer>): void {
    this.#turnBuffers.push(buffer);
  }

  get isHolding(): boolean {
    return this.#heldCalls.length > 0 || this.#mustHold;
  }

  /** One call of a connection may always run: lack of memory slows clients down and stops none. */
  get #mustHold(): boolean {
    return this.#connection.isCongested || (this.#runningCalls > 0 && this.environment.memory.isScarce);
  }

  startOrHold(call: { start(): void }): void {
    if (!this.isHolding) return call.start();
    this.#heldCalls.push(call);
    this.#waitForRoom();
  }

  onRoom(): void {
    this.#startHeldCalls();
  }

  expectResponse(method: string): number {
    this.#runningCalls++;
    return this.environment.memory.expectResponse(method);
  }

  responseReady(method: string, expectedBytes: number, bytes: number): void {
    this.#runningCalls--;
    this.#countQueue();
    this.environment.memory.responseReady(method, expectedBytes, bytes);
  }

  expectNoResponse(expectedBytes: number): void {
    this.#runningCalls--;
    this.environment.memory.release(expectedBytes);
  }

  #routeOf(head: RequestHead): RoutedRequest {
    if (head === this.#lastHead && this.#lastRoute !== undefined) return this.#lastRoute;
    const varied = this.#baseRoute && routeVariation(this.#baseRoute, head);
    const route = varied ?? routeRequest(head, this.environment.methods);
    if (route.kind === "call" && head.variation === undefined) this.#baseRoute = route;
    this.#lastHead = head;
    return this.#lastRoute = route;
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

  /** Waits for memory only: each turn checks whether the client has read enough. */
  #waitForRoom(): void {
    const { memory } = this.environment;
    if (memory.isScarce) memory.notifyWhenRoom(this);
  }

  #countQueue(): void {
    const { queuedBytes } = this.#connection;
    const more = queuedBytes - this.#countedBytes;
    if (more === 0) return;
    this.#countedBytes = queuedBytes;
    if (more > 0) this.environment.memory.add(more);
    else this.environment.memory.release(-more);
  }
}
