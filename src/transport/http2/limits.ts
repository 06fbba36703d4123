/**
 * The limits on one connection. HTTP/2 itself bounds none of these; RFC 9113 section 10.5 asks every endpoint to.
 * Honest clients at full speed stay far below all of them.
 */
export interface Http2Limits {
  /**
   * Calls at once, SETTINGS_MAX_CONCURRENT_STREAMS. Further ones get REFUSED_STREAM, which clients retry. Calls that
   * the client has reset count while their handler runs; otherwise resets would buy unlimited work (CVE-2023-44487,
   * rapid reset; CVE-2025-8671, made you reset).
   */
  readonly maxConcurrentStreams: number;
  /**
   * Compressed octets of a header block over all its CONTINUATION frames, which are held until the last one. A larger
   * block ends the connection: it is not decoded, and then no later block can be.
   */
  readonly maxHeaderBlockBytes: number;
  /**
   * SETTINGS_MAX_HEADER_LIST_SIZE: the size of a block when unpacked (HPACK bombs: one octet can stand for 4 KiB). A
   * larger list ends its call only.
   */
  readonly maxHeaderListBytes: number;
  /** CONTINUATION frames of a block. They may be empty, so a bound on octets does not bound them (VU#421644). */
  readonly maxContinuationFrames: number;
  /** Entries of one SETTINGS frame; each INITIAL_WINDOW_SIZE among them touches every stream. */
  readonly maxSettingsEntries: number;
  /** SETTINGS_INITIAL_WINDOW_SIZE: octets of one request that a client may send before they are consumed. */
  readonly streamWindowBytes: number;
  /** The same for all requests of a connection together. */
  readonly connectionWindowBytes: number;
  /**
   * Control frames that cost the client next to nothing: early RST_STREAM, PING, SETTINGS, PRIORITY, GOAWAY, empty
   * DATA, unknown types, and errors that make us reset a stream. `burst` at once, then `perSecond`. Each
   * DATA frame that we send and each ended response pays for one. The numbers are nghttp2's and nginx's for resets.
   */
  readonly controlFrames: RateLimit;
  /**
   * A RST_STREAM is early if it comes sooner than this after its HEADERS. Later ones are free: a client that gives up
   * calls at their deadlines does no harm, and {@link maxConcurrentStreams} bounds the calls it can start.
   */
  readonly earlyResetMs: number;
  /** DATA frames below {@link tinyDataBytes} that complete neither a stream nor a message. */
  readonly tinyDataFrames: RateLimit;
  readonly tinyDataBytes: number;
  /** WINDOW_UPDATE frames beyond two for each request and for each DATA frame sent to the client. */
  readonly windowUpdateFrames: RateLimit;
  /**
   * Output that waits for the client to read. Above this the socket is not read and no call is started (slow read;
   * floods of PING, SETTINGS and resets whose answers are never read).
   */
  readonly maxQueuedOutputBytes: number;
  /** Octets of incomplete request messages, over all calls. */
  readonly maxBufferedRequestBytes: number;
  /** Time for the preface and the first SETTINGS, from the connect on. */
  readonly prefaceTimeoutMs: number;
  /** Time for the rest of a frame or header block that has begun (slow loris). */
  readonly partialFrameTimeoutMs: number;
  /** Time for a request to arrive, from its headers on. A stream of requests may take longer. */
  readonly uploadTimeoutMs: number;
  /** How long output may wait while the client takes not a single octet. */
  readonly stalledOutputTimeoutMs: number;
  /** Time without a call after which the connection ends with GOAWAY. The client connects again for its next call. */
  readonly idleTimeoutMs: number;
  /** Time between the last GOAWAY of a failed connection and its close. */
  readonly closeTimeoutMs: number;
}

/** A token bucket's size and its refill. */
export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

export const DEFAULT_HTTP2_LIMITS: Http2Limits = Object.freeze({
  maxConcurrentStreams: 256,
  maxHeaderBlockBytes: 64 * 1024,
  maxHeaderListBytes: 16 * 1024,
  maxContinuationFrames: 8,
  maxSettingsEntries: 32,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 1024 * 1024,
  controlFrames: { burst: 1000, perSecond: 33 },
  earlyResetMs: 10,
  tinyDataFrames: { burst: 4096, perSecond: 256 },
  tinyDataBytes: 64,
  windowUpdateFrames: { burst: 4096, perSecond: 256 },
  maxQueuedOutputBytes: 1024 * 1024,
  maxBufferedRequestBytes: 64 * 1024 * 1024,
  prefaceTimeoutMs: 5_000,
  partialFrameTimeoutMs: 10_000,
  uploadTimeoutMs: 30_000,
  stalledOutputTimeoutMs: 30_000,
  idleTimeoutMs: 15 * 60_000,
  closeTimeoutMs: 1_000,
});
