/**
 * Compares the transports: the same Gets of keys in local memory, through the whole service on each transport in
 * turn, several rounds of it. Prints medians and their ratios; other work on the machine moves the numbers more
 * than the ratios.
 */
import { printLine } from "../../support/print_line.ts";
import { startService } from "../../support/service.ts";
import { embeddedProfile } from "../../support/service_profile.ts";
import type { Load, Measurement, Shape } from "../load.ts";
import { measureWithDeno } from "../load_deno.ts";
import { findH2load, measureWithH2load } from "../load_h2load.ts";
import { storeKeys } from "../measure.ts";
import { PAYLOAD_BYTES, type RequestRange } from "../requests.ts";
import { median } from "../statistics.ts";

const ROUNDS = 3;
const WARM_UP_MS = 1_000;
const MEASURED_MS = 2_000;

const TRANSPORTS = ["grpc_js", "native"] as const;
type Transport = typeof TRANSPORTS[number];

const SHAPES: readonly Shape[] = [{ connections: 8, streams: 16 }, { connections: 50, streams: 1 }];

const GETS: RequestRange = { method: "Get", group: "transport", first: 0, count: 1_000 };

const h2load = findH2load();

function measure(load: Load): Promise<Measurement> {
  return h2load === undefined ? measureWithDeno(load) : measureWithH2load(h2load, load);
}

/** One round of one transport, in a process of its own. */
async function run(transport: Transport, shape: Shape): Promise<Measurement> {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, {
    "server.grpc.transport": transport,
    "server.grpc.timeout": "10s",
  });
  const { hostname, port } = new URL(`http://${service.address}`);
  const address = { hostname, port: Number(port) };
  await storeKeys(GETS, address);
  const load: Load = {
    address,
    shape,
    requests: GETS,
    order: "cycle",
    expectation: { status: 0, minMessageBytes: PAYLOAD_BYTES },
    warmUpMs: WARM_UP_MS,
    measuredMs: MEASURED_MS,
  };
  // What runs for the first time is compiled meanwhile.
  await measure({ ...load, measuredMs: WARM_UP_MS });
  const measurement = await measure(load);
  const failures = Object.entries(measurement.failures);
  if (failures.length > 0) throw new Error(`Cannot measure ${transport}: ${JSON.stringify(failures)}`);
  return measurement;
}

/** What stands for several rounds. */
function typical(rounds: readonly Measurement[]): Omit<Measurement, "calls" | "failures"> {
  return {
    callsPerSecond: median(rounds.map(({ callsPerSecond }) => callsPerSecond)),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
  };
}

printLine(
  `Load generator: ${h2load ?? "Deno (install h2load for higher rates)"}; medians of ${ROUNDS} rounds`,
);
printLine("load  transport  calls/s   p50 ms   p99 ms");
for (const { connections, streams } of SHAPES) {
  const rounds: Record<Transport, Measurement[]> = { "grpc_js": [], native: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const transport of TRANSPORTS) {
      rounds[transport].push(await run(transport, { connections, streams }));
    }
  }
  const [reference, native] = [typical(rounds.grpc_js), typical(rounds.native)];
  for (
    const [name, { callsPerSecond, p50Ms, p99Ms }] of [["grpc_js", reference], ["native", native]] as const
  ) {
    const shape = `${connections}x${streams}`;
    const numbers = [
      callsPerSecond.toFixed(0).padStart(9),
      ...[p50Ms, p99Ms].map((ms) => ms.toFixed(2).padStart(8)),
    ];
    printLine([shape.padEnd(4), name.padEnd(8), ...numbers].join("  "));
  }
  const rate = (native.callsPerSecond / reference.callsPerSecond).toFixed(1);
  const latency = (reference.p99Ms / native.p99Ms).toFixed(1);
  printLine(`native / grpc_js: ${rate} times the calls, 1/${latency} of the p99`);
}
