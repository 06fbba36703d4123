/** Hostile clients, and many clients, of the service's HTTP port. The service is a process of its own. */
import { assert, assertEquals } from "@std/assert";
import { HttpTestConnection } from "../support/client/http_connection.ts";
import { type RunningService, startService } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

/** The status of a probe's answer; undefined if there is none. */
async function probed(service: RunningService): Promise<number | undefined> {
  try {
    const response = await fetch(`http://${service.httpAddress}/healthz`, {
      headers: { connection: "close" },
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

/** The number of open file descriptors. Another program counts them: Deno needs all permissions to read /proc. */
async function openDescriptors(service: RunningService): Promise<number> {
  const { stdout } = await new Deno.Command("ls", { args: [`/proc/${service.pid}/fd`] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").length;
}

/** Lets a process open only this many further file descriptors. Source: prlimit(1). */
async function allowDescriptors(service: RunningService, further: number): Promise<void> {
  const limit = await openDescriptors(service) + further;
  const args = ["--pid", String(service.pid), `--nofile=${limit}:`];
  assert((await new Deno.Command("prlimit", { args }).output()).success);
}

function addressOf(service: RunningService): { readonly hostname: string; readonly port: number } {
  const [hostname = "", port] = service.httpAddress.split(":");
  return { hostname, port: Number(port) };
}

Deno.test("the HTTP port answers again after the process ran out of file descriptors", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  await allowDescriptors(service, 5);
  using connections = new DisposableStack();
  const opened: HttpTestConnection[] = [];
  for (let i = 0; i < 10; i++) {
    opened.push(connections.use(await HttpTestConnection.open(addressOf(service))));
  }
  const failure = await service.logged("transport_failed");
  assertEquals(failure.where, "http");
  for (const each of opened) each[Symbol.dispose]();
  await waitFor(async () => (await probed(service)) === 200, { what: "the port to answer" });
  assertEquals(await service.stop(), 0);
});

Deno.test("the HTTP port bounds unfinished requests in number and in time", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, {
    "server.http.limits.max_connections": "60",
    "server.http.limits.max_connections_per_address": "50",
    "server.http.limits.header_timeout": "1s",
  });
  const before = await openDescriptors(service);
  using connections = new DisposableStack();
  const opened: HttpTestConnection[] = [];
  for (let i = 0; i < 500; i++) {
    const connection = await HttpTestConnection.open(addressOf(service), "GET /healthz HTTP/1.1\r\nhost:");
    opened.push(connections.use(connection));
  }
  // One more connection exists until it is refused.
  assert(await openDescriptors(service) - before <= 51);
  await waitFor(() => opened.every(({ isClosed }) => isClosed), { what: "the service to close them all" });
  assertEquals(await probed(service), 200);
  await waitFor(async () => await openDescriptors(service) <= before, { what: "the descriptors to be free" });
  assertEquals(await service.stop(), 0);
  assertEquals(service.errors, []);
});
