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

/** Who stands for the process as a whole: the empty name, and the service. */
const WHOLE = ["", SERVICE_NAME];

/** A watch as its handler sees it: grpc-js's writable stream with the request. */
type Watch = EventEmitter & { readonly request: HealthRequest; write(status: ServingStatus): boolean };

/**
 * grpc.health.v1: the process under `""` and the service's name, and each tier under its own name.
 *
 * The process serves until it drains, whichever tier is away: what still works must go on being called. Our own
 * instead of grpc-health-check, which reads its proto file when it is imported: a compiled program has no such file.
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

  /** Says whether a tier (`local`, `redis`, `database`) answers. */
  setTier(tier: string, status: "SERVING" | "NOT_SERVING"): void {
    this.#set(tier, status);
  }

  /** Says that no more calls should come here. */
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

  /** Never ends a watch by itself: a service that is not known may become so. */
  readonly #watch = (watch: Watch): void => {
    const name = watch.request.service;
    const watches = this.#watches.get(name) ?? new Set();
    this.#watches.set(name, watches.add(watch));
    for (const end of ["cancelled", "error", "close", "finish"]) {
      watch.once(end, () => this.#forget(name, watch));
    }
    watch.write(this.#statuses.get(name) ?? "SERVICE_UNKNOWN");
  };

  #forget(name: string, watch: Watch): void {
    const watches = this.#watches.get(name);
    // Names come from clients: a set that is empty would stay for ever.
    if (watches?.delete(watch) && watches.size === 0) this.#watches.delete(name);
  }
}
