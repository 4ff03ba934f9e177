/** The beginning of a deflate block in a gzip stream. Positions count from the beginning of the stream, over all its members. */
export interface GzipBlock {
  /** Bits of the packed stream before the block. Within a byte the lowest bit comes first (RFC 1951 section 3.1.1). */
  readonly bit: number;
  /** Bytes of the unpacked stream before those of the block. */
  readonly byte: number;
  /** Bytes of the packed stream before the member whose first block this is; null for the other blocks of a member. */
  readonly member: number | null;
}
