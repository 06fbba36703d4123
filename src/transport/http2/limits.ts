/**
 * What a server lets one connection do before it ends it. HTTP/2 bounds none of these by itself; RFC 9113
 * section 10.5 asks every endpoint to. Honest clients stay far below all of them at full speed.
 */
export interface Http2Limits {
  /**
   * Calls at once, SETTINGS_MAX_CONCURRENT_STREAMS; further ones get REFUSED_STREAM, which clients retry. Calls
   * that the client has reset count while their handler still runs, or resetting would buy unlimited work
   * (CVE-2023-44487, rapid reset; CVE-2025-8671, made you reset).
   */
  readonly maxConcurrentStreams: number;
  /**
   * Compressed octets of a header block over all its CONTINUATION frames: they are held until the last one. A larger
   * block ends the connection, because it is not decoded, and without that no later one can be.
   */
  readonly maxHeaderBlockBytes: number;
  /**
   * SETTINGS_MAX_HEADER_LIST_SIZE: what a block may unpack to (HPACK bombs: one octet can stand for 4 KiB). A larger
   * list ends its call alone.
   */
  readonly maxHeaderListBytes: number;
  /** CONTINUATION frames of a block; they may be empty, so that octets alone do not bound them (VU#421644). */
  readonly maxContinuationFrames: number;
  /** Entries of one SETTINGS frame; each INITIAL_WINDOW_SIZE among them touches every stream. */
  readonly maxSettingsEntries: number;
  /** SETTINGS_INITIAL_WINDOW_SIZE: octets of a request that may be under way without our having read them. */
  readonly streamWindowBytes: number;
  /** The window of all requests together. */
  readonly connectionWindowBytes: number;
  /**
   * Frames that cost us work and the client nothing, and that no answer pays for: early RST_STREAM, PING,
   * SETTINGS, PRIORITY, empty DATA, unknown types, resets that the client provokes. `burst` at once, then
   * `perSecond`. The numbers are nghttp2's and nginx's for resets.
   */
  readonly oddFrames: RateLimit;
  /**
   * A RST_STREAM that comes sooner after its HEADERS is early. Later ones are free: a client that gives up on calls
   * because their deadlines pass does no harm, and {@link maxConcurrentStreams} bounds what it can start.
   */
  readonly earlyResetMs: number;
  /** DATA frames below {@link tinyDataBytes} that end neither a stream nor a message. */
  readonly tinyDataFrames: RateLimit;
  readonly tinyDataBytes: number;
  /** WINDOW_UPDATE frames beyond two for every DATA frame sent to the client and every request of its. */
  readonly windowUpdateFrames: RateLimit;
  /**
   * Answers that wait for the client to read. Above this the socket is read no further, and no further call is
   * started (slow read; ping, settings and reset floods whose answers are never read).
   */
  readonly maxQueuedOutputBytes: number;
  /** Octets of incomplete request messages, over all calls. */
  readonly maxBufferedRequestBytes: number;
  /** For the preface and the first SETTINGS, from the moment of connecting. */
  readonly prefaceTimeoutMs: number;
  /** For the rest of a frame, or of a header block, that has begun (slow loris). */
  readonly partialFrameTimeoutMs: number;
  /** For a request to arrive, from its headers on; a stream of requests may take longer. */
  readonly uploadTimeoutMs: number;
  /** Without a single octet taken by a client for which output waits. */
  readonly stalledOutputTimeoutMs: number;
  /** Without a call. The client is told with GOAWAY and connects again when it has one. */
  readonly idleTimeoutMs: number;
  /** Between the last GOAWAY of a connection that failed and its end. */
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
  oddFrames: { burst: 1000, perSecond: 33 },
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
