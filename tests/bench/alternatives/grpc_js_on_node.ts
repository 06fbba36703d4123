import { createRequire } from "node:module";
import { findProgram } from "../../support/servers/find_program.ts";
import { readLines } from "../../support/service/program.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";

const SERVER = decodeURIComponent(new URL("grpc_js_server.cjs", import.meta.url).pathname);

/** What the server needs to imitate the service. */
export interface GrpcJsServerOptions {
  /** The method's path. */
  readonly path: string;
  readonly responseBytes: number;
}

/** A server on grpc-js and Node.js, killed when it is disposed of. */
export interface GrpcJsServer extends AsyncDisposable {
  readonly address: Endpoint;
  readonly pid: number;
}

/**
 * Starts grpc_js_server.cjs under Node.js with the same grpc-js as the fallback transport, from Deno's package cache.
 * Undefined if Node.js is not installed.
 */
export async function startGrpcJsServer(
  { path, responseBytes }: GrpcJsServerOptions,
): Promise<GrpcJsServer | undefined> {
  const node = findProgram("node");
  if (node === undefined) return undefined;
  await using resources = new AsyncDisposableStack();
  const modules = await linkPackages();
  resources.defer(() => Deno.remove(modules, { recursive: true }));
  const process = new Deno.Command(node, {
    args: [SERVER, path, String(responseBytes)],
    env: { NODE_PATH: modules },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const port = Promise.withResolvers<number>();
  const output = readLines(process.stdout, (line) => port.resolve(Number(line)));
  resources.defer(async () => {
    process.kill("SIGKILL");
    await process.status;
    await output;
  });
  process.status.then(({ code }) => port.reject(new Error(`grpc-js on Node.js ended with ${code}`)));
  const address = { hostname: "127.0.0.1", port: await port.promise };
  const owned = resources.move();
  return { address, pid: process.pid, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A folder in which Node.js finds grpc-js and the one package that it loads. */
async function linkPackages(): Promise<string> {
  const grpcJs = createRequire(import.meta.url).resolve("@grpc/grpc-js");
  const orderedMap = createRequire(grpcJs).resolve("@js-sdsl/ordered-map");
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-node-path-" });
  for (const [name, file] of [["@grpc/grpc-js", grpcJs], ["@js-sdsl/ordered-map", orderedMap]] as const) {
    await Deno.mkdir(`${folder}/${name.split("/")[0]}`, { recursive: true });
    await Deno.symlink(packageFolder(file, name), `${folder}/${name}`);
  }
  return folder;
}

/** The folder of a package; in Deno's cache it is named after the version. */
function packageFolder(file: string, name: string): string {
  const match = new RegExp(`^.*/${name}/[^/]+`).exec(file);
  if (match === null) throw new Error(`Cannot find the folder of ${name}: it is loaded from ${file}`);
  return match[0];
}
