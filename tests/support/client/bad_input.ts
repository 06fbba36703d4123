import { assertEquals, assertStringIncludes } from "@std/assert";
import type { MethodName } from "../../../src/api/cache_server.ts";
import { refusal } from "./client.ts";
import type { FieldViolation } from "./errors.ts";
import type { ServedProfile } from "../service/shared.ts";

/** A request that the method accepts, for a key that no other test uses. */
export function goodRequest(method: MethodName): object {
  const key = crypto.randomUUID();
  const entry = { namespace: "bad input", key };
  const value = { "type_url": "type.example/Text", value: new TextEncoder().encode("text") };
  const requests: Readonly<Record<MethodName, object>> = {
    Set: { ...entry, value },
    Get: entry,
    Del: entry,
    SetSecret: { key, name: "name", description: "description" },
    GetSecret: { key },
    DelSecret: { key },
  };
  return requests[method];
}

/** The request with another text in a field; `a.b` is the field `b` of the message `a`. */
export function withText(request: object, field: string, text: string): object {
  const [first = "", second] = field.split(".");
  if (second === undefined) return { ...request, [first]: text };
  return { ...request, [first]: { ...Reflect.get(request, first), [second]: text } };
}

/**
 * Expects INVALID_ARGUMENT with exactly these violations, each in the text too. Expects that no tier stores anything;
 * local memory is checked if the name is legal. Bytes are sent unchanged.
 */
export async function expectRefused(
  { client, profile }: Pick<ServedProfile, "client" | "profile">,
  method: MethodName,
  request: object | Uint8Array,
  violations: readonly FieldViolation[],
): Promise<void> {
  const before = await profile.stored();
  const isEncoded = request instanceof Uint8Array;
  const error = await refusal(isEncoded ? client.callBytes(method, request) : client.call(method, request));
  assertEquals(error.violations, violations);
  assertEquals(error.code, "INVALID_ARGUMENT");
  assertEquals(error.info, { reason: "INVALID_ARGUMENT", domain: "cacheserver.v1", metadata: {} });
  for (const { field, description } of violations) {
    assertStringIncludes(error.message, `${field} ${description}`);
  }
  // Keys of other tests may have expired meanwhile.
  assertEquals((await profile.stored()).filter((name) => !before.includes(name)), []);
  if (isEncoded || violations.some(({ field }) => field === "namespace" || field === "key")) return;
  const absence = await refusal(client.call(method.endsWith("Secret") ? "GetSecret" : "Get", request));
  assertEquals(absence.code, "NOT_FOUND");
}
