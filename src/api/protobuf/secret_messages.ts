/** The messages of proto/cacheserver/v1/secret.proto. */
import type { NewSecret, SecretName } from "../../business/secrets.ts";
import type { Duration } from "../../business/time_to_live.ts";
import type { Secret } from "../../core/secret.ts";
import { decodeDuration, malformedText, NO_VIOLATIONS, writeMilliseconds } from "./common_messages.ts";
import { ProtobufReader, WireType } from "./reader.ts";
import { ProtobufWriter } from "./writer.ts";

const Field = { KEY: 1, NAME: 2, EXPIRE: 3, DESCRIPTION: 4 } as const;

/** GetSecretRequest and DelSecretRequest. */
export function decodeSecretName(bytes: Uint8Array): SecretName {
  const reader = new ProtobufReader(bytes);
  let key: string | undefined = "";
  while (reader.next()) {
    if (reader.is(Field.KEY, WireType.LENGTH_DELIMITED)) key = reader.text();
    else reader.skip();
  }
  return key === undefined
    ? { key: "", violations: malformedText({ key }) }
    : { key, violations: NO_VIOLATIONS };
}

/** SetSecretRequest. */
export function decodeSetSecretRequest(bytes: Uint8Array): NewSecret {
  const reader = new ProtobufReader(bytes);
  let key: string | undefined = "";
  let name: string | undefined = "";
  let description: string | undefined = "";
  let expire: Duration | undefined;
  while (reader.next()) {
    if (reader.is(Field.KEY, WireType.LENGTH_DELIMITED)) key = reader.text();
    else if (reader.is(Field.NAME, WireType.LENGTH_DELIMITED)) name = reader.text();
    else if (reader.is(Field.EXPIRE, WireType.LENGTH_DELIMITED)) {
      expire = decodeDuration(reader.bytes(), expire);
    } else if (reader.is(Field.DESCRIPTION, WireType.LENGTH_DELIMITED)) {
      description = reader.text();
    } else reader.skip();
  }
  return {
    key: key ?? "",
    name: name ?? "",
    description: description ?? "",
    expire,
    violations: malformedText({ key, name, description }),
  };
}

/** The responses by secret: a secret in memory never changes, so its encoding does not either. */
const encoded = new WeakMap<Secret, Uint8Array>();

/** GetSecretResponse. The same object always gives the same bytes: do not write to them. */
export function encodeGetSecretResponse(secret: Secret): Uint8Array {
  let bytes = encoded.get(secret);
  if (bytes === undefined) {
    bytes = ProtobufWriter.encode((response) => {
      response.text(1, secret.userId)
        .text(2, secret.name)
        .text(3, secret.secretId)
        .text(4, secret.secretKey)
        .integer(5, secret.expires)
        .integer(6, secret.status)
        .text(7, secret.description)
        .message(8, (createdAt) => writeMilliseconds(createdAt, secret.createdAtMs))
        .message(9, (updatedAt) => writeMilliseconds(updatedAt, secret.updatedAtMs));
    });
    encoded.set(secret, bytes);
  }
  return bytes;
}
