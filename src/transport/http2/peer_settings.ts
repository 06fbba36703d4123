import { ConnectionError, ErrorCode } from "./errors.ts";
import { readUint32 } from "./frame_rules.ts";
import {
  MAX_MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  MIN_MAX_FRAME_BYTES,
  SETTING_BYTES,
  SettingId,
} from "./protocol.ts";

/** Takes the client's settings that matter to a server without push. */
export interface SettingsTarget {
  setPeerTableSize(bytes: number): void;
  setInitialSendWindow(bytes: number): void;
}

/**
 * Applies the entries of a SETTINGS frame in their order and skips unknown ones. Source: RFC 9113 section 6.5.2.
 * @throws {ConnectionError} for a value that the setting does not allow.
 */
export function applySettings(bytes: Uint8Array, start: number, end: number, target: SettingsTarget): void {
  for (let offset = start; offset < end; offset += SETTING_BYTES) {
    applySetting((bytes[offset]! << 8) | bytes[offset + 1]!, readUint32(bytes, offset + 2), target);
  }
}

function applySetting(id: number, value: number, target: SettingsTarget): void {
  switch (id) {
    case SettingId.HEADER_TABLE_SIZE:
      target.setPeerTableSize(value);
      break;
    case SettingId.INITIAL_WINDOW_SIZE:
      if (value > MAX_WINDOW_BYTES) throw illegal(ErrorCode.FLOW_CONTROL_ERROR, id, value);
      target.setInitialSendWindow(value);
      break;
    case SettingId.MAX_FRAME_SIZE:
      // We never send frames above the least legal value, so this one is only checked.
      if (value < MIN_MAX_FRAME_BYTES || value > MAX_MAX_FRAME_BYTES) {
        throw illegal(ErrorCode.PROTOCOL_ERROR, id, value);
      }
      break;
    case SettingId.ENABLE_PUSH:
    case SettingId.NO_RFC7540_PRIORITIES:
      if (value > 1) throw illegal(ErrorCode.PROTOCOL_ERROR, id, value);
      break;
  }
}

function illegal(code: ErrorCode, id: number, value: number): ConnectionError {
  return new ConnectionError(code, `setting ${id} is ${value}`);
}
