import { Health } from "../api/health/health.ts";
import { TierProbe, type TierState } from "../cache/tier_probe.ts";
import { systemClock } from "../core/clock.ts";
import type { LogObserver } from "../observe/log_observer.ts";
import { Readiness } from "../observe/readiness.ts";
import type { GrpcServer } from "../transport/service.ts";
import type { HealthTarget } from "./backend.ts";
import type { Stores } from "./stores.ts";

/** The service's state for clients and load balancers: probes of the back ends feed grpc.health.v1 and `/readyz`. */
export class ServiceStatus {
  readonly readiness: Readiness;
  readonly #health: Health;
  readonly #observer: LogObserver;

  private constructor(server: GrpcServer, { entries, secrets }: Stores, observer: LogObserver) {
    this.readiness = new Readiness([entries.tier.name, secrets.tier.name]);
    this.#health = new Health(server);
    this.#observer = observer;
  }

  /** Adds the health service to `server`; resolves once each back end has been asked for the first time. */
  static async start(
    server: GrpcServer,
    stores: Stores,
    resources: AsyncDisposableStack,
    observer: LogObserver,
  ): Promise<ServiceStatus> {
    const status = new ServiceStatus(server, stores, observer);
    const probes = stores.healthTargets.map((target) => resources.use(status.#probe(target)));
    await Promise.all(probes.map(({ asked }) => asked));
    return status;
  }

  setTier(name: string, state: TierState): void {
    this.#health.setTier(name, state === "up" ? "SERVING" : "NOT_SERVING");
    this.readiness.setTier(name, state);
  }

  /** No more calls should come here. */
  drain(): void {
    this.#health.drain();
    this.readiness.drain();
  }

  #probe({ tier, ping, changes }: HealthTarget): TierProbe {
    const endless = new AbortController().signal;
    const ask = async () => {
      await tier.probe("ping", () => ping(endless));
      await changes?.checkWritable();
    };
    const probe = new TierProbe(systemClock, ask, (state, error) => {
      this.setTier(tier.name, state);
      this.#observer.tierChanged(tier.name, state, error);
    });
    changes?.whenRefusalChanges((reason) => probe.refusesChanges(reason));
    return probe;
  }
}
