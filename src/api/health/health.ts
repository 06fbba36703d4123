import type { EventEmitter } from "node:events";
import type { GrpcServer, UnaryHandler } from "../../transport/service.ts";
import { Status } from "../../transport/status.ts";
import { SERVICE_NAME } from "../contract.ts";
import {
  decodeHealthRequest,
  encodeHealthList,
  encodeHealthResponse,
  type HealthRequest,
  type ServingStatus,
} from "./messages.ts";

/** The names of the process as a whole. */
const WHOLE = ["", SERVICE_NAME];

/** A call of Watch: grpc-js's writable stream with the request. */
type Watch = EventEmitter & { readonly request: HealthRequest; write(status: ServingStatus): boolean };

/**
 * grpc.health.v1: the process under `""` and the service's name, and each tier under its own name.
 *
 * The process serves until it drains, whichever tier is down: the other methods still work. Not grpc-health-check, which
 * reads its proto file from disk when it is imported: a compiled program has none.
 */
export class Health {
  readonly #statuses = new Map<string, ServingStatus>(WHOLE.map((name) => [name, "SERVING"]));
  readonly #watches = new Map<string, Set<Watch>>();

  /** Adds the service to `server`. */
  constructor(server: GrpcServer) {
    const statusOf = { requestDeserialize: decodeHealthRequest, responseSerialize: encodeHealthResponse };
    const list = { requestDeserialize: () => ({}), responseSerialize: encodeHealthList };
    const path = "/grpc.health.v1.Health/";
    server.addService({
      Check: { path: `${path}Check`, requestStream: false, responseStream: false, ...statusOf },
      List: { path: `${path}List`, requestStream: false, responseStream: false, ...list },
      Watch: { path: `${path}Watch`, requestStream: false, responseStream: true, ...statusOf },
    }, { Check: this.#check, List: this.#list, Watch: this.#watch });
  }

  /** Sets the status of a tier: `local`, `redis` or `database`. */
  setTier(tier: string, status: "SERVING" | "NOT_SERVING"): void {
    this.#set(tier, status);
  }

  /** No more calls should come here. */
  drain(): void {
    for (const name of WHOLE) this.#set(name, "NOT_SERVING");
  }

  #set(name: string, status: ServingStatus): void {
    if (this.#statuses.get(name) === status) return;
    this.#statuses.set(name, status);
    for (const watch of this.#watches.get(name) ?? []) watch.write(status);
  }

  readonly #check: UnaryHandler<HealthRequest, ServingStatus> = ({ request }, callback) => {
    const name = request.service;
    const status = this.#statuses.get(name);
    if (status !== undefined) return callback(null, status);
    callback({ code: Status.NOT_FOUND, details: `No service or tier is called ${JSON.stringify(name)}` });
  };

  readonly #list: UnaryHandler<unknown, ReadonlyMap<string, ServingStatus>> = (_call, callback) => {
    callback(null, this.#statuses);
  };

  /** Never ends by itself, also for an unknown name, as health.proto asks: the name may become known. */
  readonly #watch = (watch: Watch): void => {
    const name = watch.request.service;
    const watches = this.#watches.get(name) ?? new Set();
    this.#watches.set(name, watches.add(watch));
    for (const end of ["cancelled", "error", "close", "finish"]) {
      watch.once(end, () => this.#remove(name, watch));
    }
    watch.write(this.#statuses.get(name) ?? "SERVICE_UNKNOWN");
  };

  #remove(name: string, watch: Watch): void {
    const watches = this.#watches.get(name);
    // Clients choose the names: empty sets would accumulate.
    if (watches?.delete(watch) && watches.size === 0) this.#watches.delete(name);
  }
}
