import { constants, createDeflateRaw } from 'node:zlib';
import type { BlockEncoder } from './block-encoder.ts';
import type { EncoderSettings } from './formats.ts';
import { GzipMember } from './gzip-member.ts';
import { packInOneCall, roomFor } from './one-call.ts';
import { KiB } from '../units.ts';

/** Bytes that deflate looks back (RFC 1951 section 2). */
const windowSize = 32 * KiB;

/**
 * Writes one gzip member from blocks that are deflated in parallel on Node's thread pool, as pigz does: each block has the 32 KiB
 * before it as its dictionary and ends at a byte boundary, so that the pieces fit together.
 */
export function zlibEncoder({ level, blockSize }: EncoderSettings): BlockEncoder {
  const member = new GzipMember(level);
  let dictionary: Uint8Array | null = null;
  return {
    blockSize,
    ahead: 4,
    early: 2,
    serial: false,
    head: member.head,
    prepare: ({ bytes, last }) => {
      member.add(bytes);
      const before = dictionary;
      dictionary = bytes.slice(-windowSize);
      return async () => {
        const engine = createDeflateRaw({
          level,
          flush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
          // Deflate adds 5 bytes to each 16 KiB that cannot be packed.
          ...roomFor(blockSize + 4096),
          ...(before === null ? {} : { dictionary: before }),
        });
        return packInOneCall(engine, bytes);
      };
    },
    tail: () => member.tail(),
    close: () => {},
  };
}
