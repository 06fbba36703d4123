/** The service cacheserver.v1.CacheServer: wire values in and out, no rule of its own. */
import { describeEntry, type EntryName, type Namespaces } from "../business/namespaces.ts";
import { describeSecret, type SecretAbsence, type SecretName, type Secrets } from "../business/secrets.ts";
import type { Clock } from "../core/clock.ts";
import { type Entry, timeLeftMs } from "../core/entry.ts";
import type { Secret } from "../core/secret.ts";
import type { GrpcServer, Implementation, MessageWriter, ServiceDefinition } from "../transport/service.ts";
import { SERVICE_NAME } from "./contract.ts";
import { ReturnedError } from "./errors.ts";
import { EMPTY } from "./protobuf/common_messages.ts";
import {
  decodeEntryName,
  decodeSetRequest,
  type FoundEntry,
  getResponseWriter,
} from "./protobuf/namespaced_messages.ts";
import {
  decodeSecretName,
  decodeSetSecretRequest,
  encodeGetSecretResponse,
} from "./protobuf/secret_messages.ts";
import { type ApiObserver, bytesWriter, unaryHandler, unaryMethod, type Work } from "./unary.ts";

/** What the service is made of. */
export interface CacheServerOptions {
  readonly namespaces: Namespaces;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly observer: ApiObserver;
}

/** A method of the service by its name in the proto. */
export type MethodName = keyof ReturnType<typeof methods>;

/** Adds the service to a server. */
export function addCacheServer(server: GrpcServer, options: CacheServerOptions): void {
  const named = Object.entries<Method>(methods(options));
  server.addService(
    Object.fromEntries(named.map(([name, { definition }]) => [name, definition(name)])),
    Object.fromEntries(named.map(([name, { handler }]) => [name, handler(options.observer)])),
  );
}

/** Every method of the proto; the lint rule `methods` compares the two. proto/README.md says how to add one. */
function methods({ namespaces, secrets, clock }: CacheServerOptions) {
  return {
    Set: method(bytesWriter, (call) => namespaces.set(decodeSetRequest(call.request), call).then(empty)),
    Del: method(bytesWriter, (call) => namespaces.delete(decodeEntryName(call.request), call).then(empty)),
    Get: method(getResponseWriter, (call) => {
      const name = decodeEntryName(call.request);
      return namespaces.get(name, call, (entry) => getResponse(name, entry, clock));
    }),
    SetSecret: method(
      bytesWriter,
      (call) => secrets.set(decodeSetSecretRequest(call.request), call).then(empty),
    ),
    DelSecret: method(
      bytesWriter,
      (call) => secrets.delete(decodeSecretName(call.request), call).then(empty),
    ),
    GetSecret: method(bytesWriter, (call) => {
      const name = decodeSecretName(call.request);
      return secrets.get(name, call, (found) => getSecretResponse(name, found));
    }),
  };
}

/** A method without its name and without the type of its response. */
interface Method {
  definition(name: string): ServiceDefinition[string];
  handler(observer: ApiObserver): Implementation[string];
}

function method<Res>(writer: MessageWriter<Res>, work: Work<Res>): Method {
  return {
    definition: (name) => unaryMethod(SERVICE_NAME, name, writer),
    handler: (observer) => unaryHandler(work, observer),
  };
}

function empty(): Uint8Array {
  return EMPTY;
}

function getResponse(
  name: EntryName,
  entry: Entry<Uint8Array> | undefined,
  clock: Clock,
): FoundEntry | ReturnedError {
  if (entry === undefined) {
    return new ReturnedError("key_not_found", `Cannot get ${describeEntry(name)}: it is not there`);
  }
  // The entry had not expired when it was read: its time left is at least the smallest that `expire` can hold.
  return { any: entry.value, timeLeftMs: Math.max(1, timeLeftMs(entry, clock)) };
}

const ABSENCES = {
  secret_not_found: "it is not there",
  secret_expired: "it has expired",
  secret_disabled: "it is disabled",
} as const satisfies Record<SecretAbsence, string>;

function getSecretResponse(name: SecretName, found: Secret | SecretAbsence): Uint8Array | ReturnedError {
  if (typeof found === "object") return encodeGetSecretResponse(found);
  return new ReturnedError(found, `Cannot get ${describeSecret(name)}: ${ABSENCES[found]}`);
}
