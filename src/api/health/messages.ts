/**
 * The messages of proto/grpc/health/v1/health.proto, for the server and for `cacheserver health`.
 *
 * Not by @bufbuild/protobuf as reflection's: loading it and the contract takes 40 ms, and `cacheserver health`, which
 * containers run every few seconds, takes 60 ms in all.
 */
import { ProtobufReader, WireType } from "../protobuf/reader.ts";
import { ProtobufWriter } from "../protobuf/writer.ts";

/** HealthCheckResponse.ServingStatus. */
const STATUS_NUMBERS = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

/** The status of a service or tier. SERVICE_UNKNOWN: a watch of a name that does not exist, or not yet. */
export type ServingStatus = keyof typeof STATUS_NUMBERS;

const CheckField = { SERVICE: 1, STATUS: 1 } as const;
const ListField = { STATUSES: 1, KEY: 1, VALUE: 2 } as const;

/** HealthCheckRequest: the name of a service or tier, empty for the process as a whole. */
export interface HealthRequest {
  readonly service: string;
}

export function encodeHealthRequest({ service }: HealthRequest): Uint8Array {
  return ProtobufWriter.encode((request) => request.text(CheckField.SERVICE, service));
}

/** HealthCheckRequest; a name that is not UTF-8 becomes one that no service has. */
export function decodeHealthRequest(bytes: Uint8Array): HealthRequest {
  const reader = new ProtobufReader(bytes);
  let service = "";
  while (reader.next()) {
    if (reader.is(CheckField.SERVICE, WireType.LENGTH_DELIMITED)) {
      service = reader.text() ?? "\ufffd";
    } else reader.skip();
  }
  return { service };
}

/** HealthCheckResponse. */
export function encodeHealthResponse(status: ServingStatus): Uint8Array {
  return ProtobufWriter.encode((response) => writeStatus(response, status));
}

/** The status in a HealthCheckResponse; a number that this release does not know is UNKNOWN. */
export function decodeHealthResponse(bytes: Uint8Array): ServingStatus {
  const reader = new ProtobufReader(bytes);
  let number = 0;
  while (reader.next()) {
    if (reader.is(CheckField.STATUS, WireType.VARINT)) number = reader.integer();
    else reader.skip();
  }
  const names = Object.keys(STATUS_NUMBERS) as ServingStatus[];
  return names.find((name) => STATUS_NUMBERS[name] === number) ?? "UNKNOWN";
}

/** HealthListResponse: a map of HealthCheckResponses by service. */
export function encodeHealthList(statuses: ReadonlyMap<string, ServingStatus>): Uint8Array {
  return ProtobufWriter.encode((list) => {
    for (const [service, status] of statuses) {
      list.message(ListField.STATUSES, (entry) => {
        entry.text(ListField.KEY, service)
          .message(ListField.VALUE, (response) => writeStatus(response, status));
      });
    }
  });
}

function writeStatus(response: ProtobufWriter, status: ServingStatus): void {
  response.integer(CheckField.STATUS, STATUS_NUMBERS[status]);
}
