import type { Endpoint } from "../../../src/core/endpoint.ts";
import { type EndedCall, LoadConnection } from "./client/connection.ts";
import { encodeRequests, pathOf, type RequestRange } from "./requests.ts";

/** Makes the first call of a range, over a connection of its own, and resolves to how it ended. */
export async function singleCall(address: Endpoint, requests: RequestRange): Promise<EndedCall> {
  const messages = encodeRequests({ ...requests, count: 1 });
  const ended: EndedCall[] = [];
  const workload = {
    path: pathOf(requests.method),
    next: () => messages.pop(),
    ended: (call: EndedCall) => ended.push(call),
  };
  await LoadConnection.run(address, { streams: 1, workload });
  return ended[0]!;
}
