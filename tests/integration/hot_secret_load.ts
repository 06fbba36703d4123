/// <reference lib="deno.worker" />
/** A worker that sets one secret repeatedly, so that the load does not occupy the test's event loop. */
import { CacheClient } from "../support/client/client.ts";
import { CallError } from "../support/client/errors.ts";

export interface HotLoad {
  readonly address: string;
  readonly key: string;
  /** The number of calls in flight on one connection. */
  readonly inFlight: number;
  /** The number of further clients with one call in flight each, on their own connections. */
  readonly clients: number;
  readonly forMs: number;
}

/** The number of calls by status. */
export type HotOutcome = Readonly<Record<string, number>>;

async function run({ address, key, inFlight, clients, forMs }: HotLoad): Promise<HotOutcome> {
  using resources = new DisposableStack();
  const outcome: Record<string, number> = {};
  const endMs = performance.now() + forMs;
  const repeat = async (client: CacheClient) => {
    while (performance.now() < endMs) {
      const code = await client.setSecret({ key, name: "hot" }).then(
        () => "OK",
        (error) => error instanceof CallError ? error.code : String(error),
      );
      outcome[code] = (outcome[code] ?? 0) + 1;
    }
  };
  const open = () => resources.use(new CacheClient(address));
  const shared = open();
  await Promise.all([
    ...Array.from({ length: inFlight }, () => repeat(shared)),
    ...Array.from({ length: clients }, () => repeat(open())),
  ]);
  return outcome;
}

// Sent last, when all modules are loaded.
self.postMessage("ready");
self.onmessage = async ({ data }: MessageEvent<HotLoad>) => {
  self.postMessage(await run(data));
};
