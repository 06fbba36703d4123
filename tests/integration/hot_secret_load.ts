/// <reference lib="deno.worker" />
/** A worker that sets one secret again and again, so that the load takes nothing from the test's own event loop. */
import { CacheClient } from "../support/client/client.ts";
import { CallError } from "../support/client/errors.ts";

/** What to do. */
export interface HotLoad {
  readonly address: string;
  readonly key: string;
  /** How many calls are in flight at once on one connection. */
  readonly inFlight: number;
  /** How many further clients have one call in flight each, on a connection of their own. */
  readonly clients: number;
  readonly forMs: number;
}

/** How many calls ended with each status. */
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

// Last: everything that it needs is loaded by then.
self.postMessage("ready");
self.onmessage = async ({ data }: MessageEvent<HotLoad>) => {
  self.postMessage(await run(data));
};
