import { findProgram } from "../../support/servers/find_program.ts";
import type { Load, Measurement } from "./load.ts";
import { encodeRequests, pathOf } from "./requests.ts";
import { percentiles } from "../report/statistics.ts";
import { CpuMeter } from "./cpu_meter.ts";
import { singleCall } from "./single_call.ts";

/** The calls of a first run, which determines how many the second one makes. */
const FIRST_TRIAL_CALLS = 2_000;
/** The second run's share of the measured time; it determines how many calls the measured run makes. */
const TRIAL_SHARE = 1 / 4;
/** What gRPC puts before a message. Source: grpc/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message. */
const MESSAGE_PREFIX_BYTES = 5;

/** The path of h2load (Debian: nghttp2-client), or undefined if it is not installed. */
export function findH2load(): string | undefined {
  return findProgram("h2load");
}

/**
 * Takes a measurement with h2load, which repeats one request. So it suits only one replica, and only calls that are not
 * joined into one flight. It sees HTTP's status but not gRPC's, so responses are checked by their size: one call by the
 * client in the folder client/ gives the size of a right response, and all together must have exactly that many bytes.
 * Throws if that call is not answered as expected.
 */
export async function measureWithH2load(program: string, load: Load): Promise<Measurement> {
  const answerBytes = await rightAnswerBytes(load);
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-bench-" });
  try {
    const [message] = encodeRequests({ ...load.requests, count: 1 });
    await Deno.writeFile(`${folder}/request`, prefixed(message!));
    const measure = async (calls: number): Promise<Omit<Measurement, "cpuUs">> => {
      const { output, latenciesMs } = await run(program, folder, load, calls);
      const [p50Ms, p99Ms, p999Ms] = percentiles(latenciesMs, [50, 99, 99.9]);
      return { ...readH2load(output, { calls, answerBytes }), p50Ms, p99Ms, p999Ms };
    };
    const callsIn = (ms: number, { callsPerSecond }: Pick<Measurement, "callsPerSecond">) =>
      Math.max(FIRST_TRIAL_CALLS, Math.round(callsPerSecond * ms / 1000));
    const first = await measure(FIRST_TRIAL_CALLS);
    const trial = await measure(callsIn(load.measuredMs * TRIAL_SHARE, first));
    const calls = callsIn(load.measuredMs, trial);
    const cpu = new CpuMeter(load.watched);
    const measured = await measure(calls);
    return { ...measured, cpuUs: cpu.perCallUs(calls) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The data of a right response: a prefix and a message. */
async function rightAnswerBytes({ addresses: [address], requests, expectation }: Load): Promise<number> {
  const { status, messageBytes } = await singleCall(address!, requests);
  if (status === expectation.status && messageBytes >= expectation.minMessageBytes) {
    return MESSAGE_PREFIX_BYTES + messageBytes;
  }
  const got = `status ${status} and ${messageBytes} bytes`;
  throw new Error(`Cannot measure ${requests.method} with h2load: a call is answered with ${got}`);
}

async function run(
  program: string,
  folder: string,
  { addresses: [address], shape, requests }: Load,
  calls: number,
): Promise<{ readonly output: string; readonly latenciesMs: readonly number[] }> {
  const log = `${folder}/log`;
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [
      `--requests=${calls}`,
      `--clients=${shape.connections}`,
      `--max-concurrent-streams=${shape.streams}`,
      `--data=${folder}/request`,
      "--header=content-type: application/grpc",
      "--header=te: trailers",
      `--log-file=${log}`,
      `http://${address!.hostname}:${address!.port}${pathOf(requests.method)}`,
    ],
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout);
  if (!success) {
    throw new Error(`Cannot run h2load: ${new TextDecoder().decode(stderr).trim() || output.trim()}`);
  }
  const latenciesMs = parseLatencies(await Deno.readTextFile(log));
  await Deno.remove(log);
  return { output, latenciesMs };
}

/**
 * Reads the output of h2load for `calls` calls whose responses have `answerBytes` bytes of data each. Missing or extra
 * bytes count as that many bytes' worth of failures, at least one.
 */
export function readH2load(
  output: string,
  { calls, answerBytes }: { readonly calls: number; readonly answerBytes: number },
): Pick<Measurement, "calls" | "callsPerSecond" | "failures"> {
  const succeeded = numberIn(output, /^requests:.* (\d+) succeeded/m);
  const dataBytes = numberIn(output, /\((\d+)\) data$/m);
  const rightBytes = calls * answerBytes;
  const refused = calls - succeeded;
  // A response without status 200 has no data either; it is counted once.
  const missing = Math.ceil(Math.abs(rightBytes - dataBytes) / answerBytes);
  const wrong = Math.min(succeeded, Math.max(0, missing - refused));
  return {
    calls: succeeded - wrong,
    callsPerSecond: numberIn(output, /^finished in .*, ([\d.]+) req\/s/m),
    failures: {
      ...(refused > 0 && { "no HTTP status of 200": refused }),
      ...(wrong > 0 && { [`answers of ${dataBytes} bytes, not ${rightBytes}, for ${calls} calls`]: wrong }),
    },
  };
}

/** The third column of each row: microseconds until the end of the response. */
function parseLatencies(log: string): number[] {
  return log.trimEnd().split("\n").map((row) => Number(row.split("\t")[2]) / 1000);
}

function numberIn(output: string, pattern: RegExp): number {
  const match = pattern.exec(output);
  if (match === null) throw new Error(`Cannot read the output of h2load: expected ${pattern} in ${output}`);
  return Number(match[1]);
}

function prefixed(message: Uint8Array): Uint8Array {
  const data = new Uint8Array(MESSAGE_PREFIX_BYTES + message.length);
  new DataView(data.buffer).setUint32(1, message.length);
  data.set(message, MESSAGE_PREFIX_BYTES);
  return data;
}
