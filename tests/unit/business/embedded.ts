/** The business rules over SQLite in memory, with no tier above it. */
import { NamespacePolicies, type NamespacePolicy } from "../../../src/business/namespace_policies.ts";
import { Namespaces } from "../../../src/business/namespaces.ts";
import { Secrets } from "../../../src/business/secrets.ts";
import { Chain } from "../../../src/cache/chain.ts";
import { Tier } from "../../../src/cache/tier.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { SqliteEntries } from "../../../src/store/sqlite/entries.ts";
import { SqliteSecrets } from "../../../src/store/sqlite/secrets.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { ENTRIES, memoryFile } from "../../support/sqlite/sqlite.ts";
import { RecordingObserver } from "../../support/cache/recording_observer.ts";

export const MAX_VALUE_BYTES = 100;

/** The secretKey of every secret that is created. */
export const SECRET_KEY = "0b9f3c1e-0000-4000-8000-000000000000";

/** The policy of a namespace that has no options. */
export const UNLIMITED: NamespacePolicy = {
  defaultTtlMs: Infinity,
  maxTtlMs: Infinity,
  jitter: 0,
  copies: undefined,
};

/** How the namespaces differ from those that have no options. */
export interface EmbeddedOptions {
  readonly random?: () => number;
  readonly policies?: NamespacePolicies;
}

/** Both services and the clock they live by. */
export class Embedded implements Disposable {
  readonly clock = new FakeClock();
  readonly namespaces: Namespaces;
  readonly secrets: Secrets;
  readonly file = memoryFile(this.clock);
  readonly #entries = new SqliteEntries(this.file, { ...ENTRIES, clock: this.clock });

  constructor({ random = () => 0.5, policies = new NamespacePolicies(UNLIMITED) }: EmbeddedOptions = {}) {
    const observer = new RecordingObserver();
    const timeouts = { readTimeoutMs: 1_000, writeTimeoutMs: 1_000 };
    const common = {
      local: undefined,
      shared: undefined,
      clock: this.clock,
      observer,
      newIntent: () => crypto.randomUUID(),
      backfillQueueSize: 1,
    };
    const tier = new Tier({ name: "database", ...timeouts }, this.clock, observer);
    const entries = new Chain({ ...common, authority: { store: this.#entries, tier } });
    const secrets = new Chain({ ...common, authority: { store: new SqliteSecrets(this.file), tier } });
    const { clock } = this;
    this.namespaces = new Namespaces(entries, { clock, random, maxValueBytes: MAX_VALUE_BYTES, policies });
    this.secrets = new Secrets(secrets, { clock, newSecretKey: () => SECRET_KEY, copies: undefined });
  }

  [Symbol.dispose](): void {
    this.#entries[Symbol.dispose]();
    this.file[Symbol.dispose]();
  }
}

/** What a request is refused for, a line a violation; empty when it is taken. */
export async function refusals(request: Promise<void>): Promise<string[]> {
  try {
    await request;
    return [];
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return error.violations.map(({ field, description }) => `${field} ${description}`);
  }
}
