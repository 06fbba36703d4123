/** The constants of HTTP/2 on the wire. Source: RFC 9113. */

/** The octets before a client's first frame. Source: section 3.4. */
export const CONNECTION_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Octets before the payload of every frame. Source: section 4.1. */
export const FRAME_HEADER_BYTES = 9;

/** Source: section 6. */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Source: section 6, each frame's flags. */
export const Flag = {
  ACK: 0x1,
  END_STREAM: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** Source: section 6.5.2, and RFC 9218 section 2.1 for the last. */
export const SettingId = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  NO_RFC7540_PRIORITIES: 9,
} as const;

/** Octets of one entry of a SETTINGS frame. Source: section 6.5.1. */
export const SETTING_BYTES = 6;

/** The least and first value of SETTINGS_MAX_FRAME_SIZE. Source: section 6.5.2. */
export const MIN_MAX_FRAME_BYTES = 2 ** 14;
/** The largest value of SETTINGS_MAX_FRAME_SIZE. Source: section 6.5.2. */
export const MAX_MAX_FRAME_BYTES = 2 ** 24 - 1;
/** The size of every window before any SETTINGS or WINDOW_UPDATE. Source: section 6.9.2. */
export const DEFAULT_WINDOW_BYTES = 65_535;
/** No window may grow beyond this. Source: section 6.9.1. */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;
/** The largest stream identifier. Source: section 5.1.1. */
export const MAX_STREAM_ID = 2 ** 31 - 1;
/** SETTINGS_HEADER_TABLE_SIZE before any SETTINGS. Source: section 6.5.2. */
export const DEFAULT_HEADER_TABLE_BYTES = 4096;
