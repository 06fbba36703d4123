import { HealthImplementation } from "grpc-health-check";
import type { GrpcServer } from "../transport/service.ts";
import { SERVICE_NAME } from "./contract.ts";

/** Who stands for the process as a whole: the empty name, and the service. */
const WHOLE = ["", SERVICE_NAME];

/**
 * grpc.health.v1: the process under `""` and the service's name, and each tier under its own name.
 *
 * The process serves until it drains, whichever tier is away: what still works must go on being called.
 */
export class Health {
  readonly #implementation = new HealthImplementation(
    Object.fromEntries(WHOLE.map((name) => [name, "SERVING" as const])),
  );

  constructor(server: GrpcServer) {
    // The library asks for grpc-js's server type, and calls its addService only.
    this.#implementation.addToServer(
      server as unknown as Parameters<HealthImplementation["addToServer"]>[0],
    );
  }

  /** Says whether a tier (`local`, `redis`, `database`) answers. */
  setTier(tier: string, status: "SERVING" | "NOT_SERVING"): void {
    this.#implementation.setStatus(tier, status);
  }

  /** Says that the process takes no more calls. */
  drain(): void {
    for (const name of WHOLE) this.#implementation.setStatus(name, "NOT_SERVING");
  }
}
