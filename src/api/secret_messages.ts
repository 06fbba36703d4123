/** The messages of proto/cacheserver/v1/secret.proto. */
import type { NewSecret, SecretName } from "../business/secrets.ts";
import type { Duration } from "../business/time_to_live.ts";
import type { Secret } from "../core/secret.ts";
import type { MessageWriter } from "../transport/service.ts";
import { decodeDuration } from "./common_messages.ts";
import {
  integerFieldLength,
  textFieldLength,
  timeFieldLength,
  writeIntegerField,
  writeTextField,
  writeTimeField,
} from "./fields_in_place.ts";
import { ProtobufReader, WireType } from "./protobuf_reader.ts";
import { malformedText, NO_VIOLATIONS } from "./violations.ts";

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

const ResponseField = {
  USER_ID: 1,
  NAME: 2,
  SECRET_ID: 3,
  SECRET_KEY: 4,
  EXPIRES: 5,
  STATUS: 6,
  DESCRIPTION: 7,
  CREATED_AT: 8,
  UPDATED_AT: 9,
} as const;

/** Writes a GetSecretResponse. */
export const getSecretResponseWriter: MessageWriter<Secret> = {
  byteLength(secret: Secret): number {
    return textFieldLength(secret.userId) + textFieldLength(secret.name) + textFieldLength(secret.secretId) +
      textFieldLength(secret.secretKey) + integerFieldLength(secret.expires) +
      integerFieldLength(secret.status) + textFieldLength(secret.description) +
      timeFieldLength(secret.createdAtMs) + timeFieldLength(secret.updatedAtMs);
  },

  write(secret: Secret, bytes: Uint8Array, at: number): void {
    at = writeTextField(ResponseField.USER_ID, secret.userId, bytes, at);
    at = writeTextField(ResponseField.NAME, secret.name, bytes, at);
    at = writeTextField(ResponseField.SECRET_ID, secret.secretId, bytes, at);
    at = writeTextField(ResponseField.SECRET_KEY, secret.secretKey, bytes, at);
    at = writeIntegerField(ResponseField.EXPIRES, secret.expires, bytes, at);
    at = writeIntegerField(ResponseField.STATUS, secret.status, bytes, at);
    at = writeTextField(ResponseField.DESCRIPTION, secret.description, bytes, at);
    at = writeTimeField(ResponseField.CREATED_AT, secret.createdAtMs, bytes, at);
    writeTimeField(ResponseField.UPDATED_AT, secret.updatedAtMs, bytes, at);
  },
};
