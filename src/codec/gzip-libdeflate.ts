import type { BlockEncoder } from './block-encoder.ts';
import type { EncoderSettings } from './formats.ts';
import { GzipMember } from './gzip-member.ts';

/**
 * Writes one gzip member from blocks that worker threads deflate independently of each other, each ending at a byte boundary, so
 * that the pieces fit together (deflate-join.ts). Some clients read the first member of a layer only, so there must be no second.
 */
export function libdeflateEncoder({ level, blockSize, workers }: EncoderSettings): BlockEncoder {
  const member = new GzipMember(level);
  /** Checksums and lengths of the blocks, in their order; encoded blocks only. */
  const sums: { readonly crc: number; readonly length: number }[] = [];
  let blocks = 0;
  return {
    blockSize,
    ahead: 4,
    early: 2,
    serial: false,
    head: member.head,
    prepare: ({ bytes, last }) => {
      const number = blocks++;
      return async () => {
        const { packed, crc } = await workers.libdeflate(bytes, { level, last });
        sums[number] = { crc, length: bytes.length };
        return packed;
      };
    },
    tail: () => {
      for (const { crc, length } of sums) member.join(crc, length);
      return member.tail();
    },
    close: () => {},
  };
}
