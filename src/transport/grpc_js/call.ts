import type { Metadata as GrpcJsMetadata, ServerUnaryCall } from "@grpc/grpc-js";
import { Metadata } from "../metadata.ts";
import type { UnaryCall } from "../service.ts";

/** A unary call of grpc-js in the form of the transport port. Its parts are made on first use. */
export class GrpcJsUnaryCall<Req> implements UnaryCall<Req> {
  readonly #call: ServerUnaryCall<Req, unknown>;
  readonly #toGrpcJs: (metadata: Metadata) => GrpcJsMetadata;
  #metadata: Metadata | undefined;
  #controller: AbortController | undefined;

  constructor(call: ServerUnaryCall<Req, unknown>, toGrpcJs: (metadata: Metadata) => GrpcJsMetadata) {
    this.#call = call;
    this.#toGrpcJs = toGrpcJs;
  }

  get request(): Req {
    return this.#call.request;
  }

  get metadata(): Metadata {
    return this.#metadata ??= fromGrpcJs(this.#call.metadata);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.#call.cancelled) controller.abort();
      else this.#call.once("cancelled", () => controller.abort());
    }
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.#call.cancelled;
  }

  whenCancelled(listener: () => void): void {
    if (this.signal.aborted) listener();
    else this.signal.addEventListener("abort", listener, { once: true });
  }

  /** Aborts {@link signal}: the server's own time limit has passed. */
  abort(): void {
    this.#controller?.abort();
  }

  getPath(): string {
    return this.#call.getPath();
  }

  getPeer(): string {
    return this.#call.getPeer();
  }

  getDeadline(): Date | number {
    return this.#call.getDeadline();
  }

  sendMetadata(metadata: Metadata): void {
    this.#call.sendMetadata(this.#toGrpcJs(metadata));
  }
}

function fromGrpcJs(metadata: GrpcJsMetadata): Metadata {
  const copy = new Metadata();
  for (const key of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(key)) copy.add(key, value);
  }
  return copy;
}
