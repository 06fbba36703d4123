/** MySQL: the authority for secrets, and the outbox beside them. */
import type { Secret, SecretChange } from "../core/secret.ts";
import { Tier } from "../cache/tier.ts";
import type { MysqlConfig } from "../config/data/database.ts";
import { systemClock, systemRandom } from "../core/clock.ts";
import { ServiceError } from "../core/errors.ts";
import type { Outbox } from "../core/ports.ts";
import type { LogObserver } from "../observe/log_observer.ts";
import { isRowBusy } from "../store/mysql/errors.ts";
import { checkMysqlSchema, migrateMysql } from "../store/mysql/migrate.ts";
import { MysqlOutbox } from "../store/mysql/outbox.ts";
import { MysqlPool } from "../store/mysql/pool.ts";
import { MysqlSecrets } from "../store/mysql/secrets.ts";
import { TooManyUnsettled } from "../store/mysql/unsettled.ts";
import type { AuthorityBackend, HealthTarget } from "./backend.ts";

/** What MySQL gives to the service. */
export interface MysqlBackend {
  readonly secrets: AuthorityBackend<Secret, SecretChange>;
  readonly outbox: Outbox;
  readonly healthTarget: HealthTarget;
}

/** Makes the pool. The first calls open connections, so a server that is down does not delay the start. */
export function openMysql(
  config: MysqlConfig,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): MysqlBackend {
  const { queryTimeoutMs } = config;
  const breaker = { ...config.breaker, random: systemRandom };
  const tier = new Tier(
    {
      name: "database",
      readTimeoutMs: queryTimeoutMs,
      writeTimeoutMs: queryTimeoutMs,
      breaker,
      isRefusal: (error) => isRowBusy(error) || error instanceof TooManyUnsettled,
    },
    systemClock,
    observer,
  );
  const pool = resources.use(new MysqlPool(config, systemClock, () => tier.interrupted()));
  const secrets = new MysqlSecrets(pool, config);
  let schemaIsRight = false;
  const ping = async (signal: AbortSignal) => {
    if (schemaIsRight) return await secrets.ping(signal);
    const wrong = await checkMysqlSchema(pool, config.table, signal);
    if (wrong !== undefined) throw new ServiceError("store_unavailable", wrong, { tier: tier.name });
    schemaIsRight = true;
  };
  const outbox = new MysqlOutbox(pool, config);
  return { secrets: { store: secrets, tier }, outbox, healthTarget: { tier, ping } };
}

/** Creates or upgrades the tables; resolves to what was done, a sentence each. */
export function migrateTables(config: MysqlConfig): Promise<string[]> {
  return migrateMysql(config, systemClock, new AbortController().signal);
}
