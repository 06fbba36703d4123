/** A header block that cannot be decoded; the connection cannot go on. Source: RFC 9113 section 4.3. */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
}
