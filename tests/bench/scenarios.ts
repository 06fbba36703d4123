/** What is measured, as a table: a new measurement is a new row. */
import { Status } from "../../src/transport/status.ts";
import type { Expectation, Load, Shape } from "./load/load.ts";
import { type Method, PAYLOAD_BYTES } from "./load/requests.ts";
import type { SetupName } from "./setup.ts";

/** The load generators; `deno` is the client in the folder load/client/. */
export type Generator = "deno" | "h2load";

/** A load for a scenario. */
export interface ScenarioLoad {
  readonly generator: Generator;
  readonly shape: Shape;
}

/** Calls of one kind. */
export interface Scenario {
  readonly name: string;
  /** What exists before the run: nothing, every key as the service stores it, or rows that only MySQL has. */
  readonly preparation: "nothing" | "keys stored by the service" | "rows inserted into MySQL";
  readonly method: Method;
  /** How many keys there are for a run, and whether a run may ask for one again. */
  readonly keys: { readonly count: number; readonly order: Load["order"] };
  readonly expectation: Expectation;
  readonly loads: readonly ScenarioLoad[];
  /** The payload of the Any, if it is not the default. */
  readonly payloadBytes?: number;
}

/** 128 calls in flight over few connections, as busy clients keep them. */
export const MAIN: ScenarioLoad = { generator: "deno", shape: { connections: 8, streams: 16 } };
export const MANY_CONNECTIONS: ScenarioLoad = { generator: "deno", shape: { connections: 50, streams: 1 } };

/** Many times the calls in flight, so that no two of them request the same key and share one read. */
const ENTRIES = { count: 10_000, order: "cycle" } as const;
const SECRETS = { count: 2_000, order: "cycle" } as const;
/** More than a run uses on this machine; a run that uses them all measures for less time. */
const FRESH_IN_REDIS = { count: 350_000, order: "once" } as const;
const FRESH_IN_SQLITE = { count: 30_000, order: "once" } as const;
const FRESH_SECRETS = { count: 20_000, order: "once" } as const;
/** These are only read. */
export const FRESH_ROWS = { count: 100_000, order: "once" } as const;

const SECRET_KEY_BYTES = 36;
/** A response that holds the whole value. */
export const VALUE: Expectation = { status: Status.OK, minMessageBytes: PAYLOAD_BYTES };
export const SECRET: Expectation = { status: Status.OK, minMessageBytes: SECRET_KEY_BYTES };
export const EMPTY: Expectation = { status: Status.OK, minMessageBytes: 0 };
const NOT_FOUND: Expectation = { status: Status.NOT_FOUND, minMessageBytes: 0 };

/** Gets of stored entries under {@link MAIN}, for parts that compare the service with something else. */
export function storedGets(name: string, keyCount: number): Scenario {
  return {
    name,
    preparation: "keys stored by the service",
    method: "Get",
    keys: { count: keyCount, order: "cycle" },
    expectation: VALUE,
    loads: [MAIN],
  };
}

/** One row of the part `calls`. */
export interface SetupScenario extends Scenario {
  readonly setup: SetupName;
}

/** The rows in the order of the report; those of one set-up are adjacent and share its process. */
export const SCENARIOS: readonly SetupScenario[] = [
  {
    name: "Get, L1 hit",
    setup: "servers",
    preparation: "keys stored by the service",
    method: "Get",
    keys: ENTRIES,
    expectation: VALUE,
    loads: [MAIN, { ...MAIN, generator: "h2load" }, MANY_CONNECTIONS, {
      ...MANY_CONNECTIONS,
      generator: "h2load",
    }],
  },
  {
    name: "Get, miss (NOT_FOUND)",
    setup: "servers",
    preparation: "nothing",
    method: "Get",
    keys: ENTRIES,
    expectation: NOT_FOUND,
    loads: [MAIN],
  },
  {
    name: "Set",
    setup: "servers",
    preparation: "nothing",
    method: "Set",
    keys: ENTRIES,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "Del",
    setup: "servers",
    preparation: "keys stored by the service",
    method: "Del",
    keys: FRESH_IN_REDIS,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "GetSecret, L1 hit",
    setup: "servers",
    preparation: "keys stored by the service",
    method: "GetSecret",
    keys: SECRETS,
    expectation: SECRET,
    loads: [MAIN],
  },
  {
    name: "SetSecret, new",
    setup: "servers",
    preparation: "nothing",
    method: "SetSecret",
    keys: FRESH_SECRETS,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "SetSecret, existing",
    setup: "servers",
    preparation: "keys stored by the service",
    method: "SetSecret",
    keys: SECRETS,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "DelSecret",
    setup: "servers",
    preparation: "rows inserted into MySQL",
    method: "DelSecret",
    keys: FRESH_SECRETS,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "Get, Redis hit",
    setup: "servers, no L1",
    preparation: "keys stored by the service",
    method: "Get",
    keys: ENTRIES,
    expectation: VALUE,
    loads: [MAIN],
  },
  {
    name: "GetSecret, Redis hit",
    setup: "servers, no L1",
    preparation: "keys stored by the service",
    method: "GetSecret",
    keys: SECRETS,
    expectation: SECRET,
    loads: [MAIN],
  },
  {
    name: "GetSecret, MySQL (and copied into Redis)",
    setup: "servers, no L1",
    preparation: "rows inserted into MySQL",
    method: "GetSecret",
    keys: FRESH_ROWS,
    expectation: SECRET,
    loads: [MAIN],
  },
  {
    name: "Get, miss (NOT_FOUND)",
    setup: "embedded",
    preparation: "nothing",
    method: "Get",
    keys: ENTRIES,
    expectation: NOT_FOUND,
    loads: [MAIN],
  },
  {
    name: "Set",
    setup: "embedded",
    preparation: "nothing",
    method: "Set",
    keys: ENTRIES,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "Del",
    setup: "embedded",
    preparation: "keys stored by the service",
    method: "Del",
    keys: FRESH_IN_SQLITE,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "SetSecret, new",
    setup: "embedded",
    preparation: "nothing",
    method: "SetSecret",
    keys: FRESH_SECRETS,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "SetSecret, existing",
    setup: "embedded",
    preparation: "keys stored by the service",
    method: "SetSecret",
    keys: SECRETS,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "DelSecret",
    setup: "embedded",
    preparation: "keys stored by the service",
    method: "DelSecret",
    keys: FRESH_SECRETS,
    expectation: EMPTY,
    loads: [MAIN],
  },
  {
    name: "Get, SQLite",
    setup: "embedded, no L1",
    preparation: "keys stored by the service",
    method: "Get",
    keys: ENTRIES,
    expectation: VALUE,
    loads: [MAIN],
  },
  {
    name: "GetSecret, SQLite",
    setup: "embedded, no L1",
    preparation: "keys stored by the service",
    method: "GetSecret",
    keys: SECRETS,
    expectation: SECRET,
    loads: [MAIN],
  },
];
