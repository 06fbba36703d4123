/** The service cacheserver.v1.CacheServer: wire values in and out, no rule of its own. */
import { describeEntry, type EntryName, type Namespaces } from "../business/namespaces.ts";
import { describeSecret, type SecretAbsence, type SecretName, type Secrets } from "../business/secrets.ts";
import type { Clock } from "../core/clock.ts";
import { type Entry, timeLeftMs } from "../core/entry.ts";
import type { Secret } from "../core/secret.ts";
import type { GrpcServer, Implementation, MessageWriter, ServiceDefinition } from "../transport/service.ts";
import { EMPTY } from "./protobuf/common_messages.ts";
import { SERVICE_NAME } from "./reflection/contract.ts";
import {
  decodeEntryName,
  decodeSetRequest,
  type FoundEntry,
  getResponseWriter,
} from "./protobuf/namespaced_messages.ts";
import type { ApiObserver } from "./observer.ts";
import { Refusal } from "./refusal.ts";
import {
  decodeSecretName,
  decodeSetSecretRequest,
  encodeGetSecretResponse,
} from "./protobuf/secret_messages.ts";
import { bytesWriter, unaryHandler, unaryMethod, type Work } from "./unary.ts";

/** What the service is made of. */
export interface CacheServerOptions {
  readonly namespaces: Namespaces;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly observer: ApiObserver;
}

/** Adds the service to a server. */
export function addCacheServer(server: GrpcServer, options: CacheServerOptions): void {
  const { namespaces, secrets, clock, observer } = options;

  const methods: Readonly<Record<string, Method>> = {
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

  const named = Object.entries(methods);
  server.addService(
    Object.fromEntries(named.map(([name, { definition }]) => [name, definition(name)])),
    Object.fromEntries(named.map(([name, { handler }]) => [name, handler(observer)])),
  );
}

/** A method but for its name, its response's type forgotten. */
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
): FoundEntry | Refusal {
  if (entry === undefined) {
    return new Refusal("key_not_found", `Cannot get ${describeEntry(name)}: it is not there`);
  }
  // It had not expired when it was looked at, so it has at least the smallest time left that can be said.
  return { any: entry.value, timeLeftMs: Math.max(1, timeLeftMs(entry, clock)) };
}

const ABSENCES = {
  secret_not_found: "it is not there",
  secret_expired: "it has expired",
  secret_disabled: "it is disabled",
} as const satisfies Record<SecretAbsence, string>;

function getSecretResponse(name: SecretName, found: Secret | SecretAbsence): Uint8Array | Refusal {
  if (typeof found === "object") return encodeGetSecretResponse(found);
  return new Refusal(found, `Cannot get ${describeSecret(name)}: ${ABSENCES[found]}`);
}
