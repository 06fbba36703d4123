import { concat, data, headers, message, settings, windowUpdate } from "../../protocol/frames.ts";
import { RawClient } from "../../protocol/raw_client.ts";
import { type CacheClient, encodeRequest } from "./client.ts";

/** The entry that such a client requests repeatedly. */
const ENTRY = { namespace: "unread", key: "large" };

/** The length of the value that {@link storeLargeEntry} stores: one answer fills what the kernel buffers at first. */
const VALUE_BYTES = 2 ** 20;

/** Stores the entry that {@link askWithoutReading} requests. */
export async function storeLargeEntry(client: CacheClient): Promise<void> {
  await client.set({ ...ENTRY, value: { "type_url": "t", value: new Uint8Array(VALUE_BYTES) } });
}

/**
 * Connects, opens all windows, requests `calls` responses of a mebibyte each, and reads none of them. The server may
 * refuse the connection; this client does not notice.
 */
export async function askWithoutReading(address: string, calls = 16): Promise<RawClient> {
  const client = await RawClient.ready(Number(address.split(":").at(-1)), { isReading: false });
  const body = message(encodeRequest("Get", ENTRY));
  const asked = Array.from({ length: calls }, (_, index) => {
    const id = 1 + 2 * index;
    return concat(headers(id, GET_HEADERS), data(id, body, 1));
  });
  await client.send(settings([4, 2 ** 31 - 1]), windowUpdate(0, 2 ** 30), ...asked);
  return client;
}

const GET_HEADERS = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/cacheserver.v1.CacheServer/Get"],
  [":authority", "test"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
] as const;

/** The number of open sockets of a process. A shell reads it: Deno reads /proc only with all permissions. */
export async function openSockets(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("find", {
    args: [`/proc/${pid}/fd`, "-lname", "socket:*", "-printf", "."],
    stderr: "null",
  }).output();
  return stdout.length;
}
