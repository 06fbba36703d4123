import { ConnectionError, ErrorCode } from "./errors.ts";
import {
  DEFAULT_WINDOW_BYTES,
  MAX_MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  MIN_MAX_FRAME_BYTES,
  SETTING_BYTES,
  SettingId,
} from "./protocol.ts";

/** What a change of the client's settings asks of us at once. */
export interface SettingsEffects {
  onHeaderTableSize(bytes: number): void;
  /** The difference applies to every stream's window. Source: RFC 9113 section 6.9.2. */
  onInitialWindowChange(differenceBytes: number): void;
}

/** The client's settings, as far as a server that never pushes needs them. Source: RFC 9113 section 6.5.2. */
export class PeerSettings {
  #initialWindowBytes = DEFAULT_WINDOW_BYTES;

  /** The window of a stream that opens now. */
  get initialWindowBytes(): number {
    return this.#initialWindowBytes;
  }

  /**
   * Applies the entries in their order; those that are unknown are skipped.
   * @throws {ConnectionError} for a value that its setting does not allow.
   */
  apply(bytes: Uint8Array, start: number, end: number, effects: SettingsEffects): void {
    for (let offset = start; offset < end; offset += SETTING_BYTES) {
      const id = (bytes[offset]! << 8) | bytes[offset + 1]!;
      const value = ((bytes[offset + 2]! << 24) | (bytes[offset + 3]! << 16) | (bytes[offset + 4]! << 8) |
        bytes[offset + 5]!) >>> 0;
      this.#applyOne(id, value, effects);
    }
  }

  #applyOne(id: number, value: number, effects: SettingsEffects): void {
    switch (id) {
      case SettingId.HEADER_TABLE_SIZE:
        effects.onHeaderTableSize(value);
        break;
      case SettingId.INITIAL_WINDOW_SIZE: {
        if (value > MAX_WINDOW_BYTES) {
          throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `SETTINGS_INITIAL_WINDOW_SIZE is ${value}`);
        }
        const difference = value - this.#initialWindowBytes;
        this.#initialWindowBytes = value;
        effects.onInitialWindowChange(difference);
        break;
      }
      case SettingId.MAX_FRAME_SIZE:
        // Frames of ours never exceed the least value, so the number itself is of no use.
        if (value < MIN_MAX_FRAME_BYTES || value > MAX_MAX_FRAME_BYTES) {
          throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `SETTINGS_MAX_FRAME_SIZE is ${value}`);
        }
        break;
      case SettingId.ENABLE_PUSH:
      case SettingId.NO_RFC7540_PRIORITIES:
        if (value > 1) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `setting ${id} is ${value}`);
        break;
    }
  }
}
