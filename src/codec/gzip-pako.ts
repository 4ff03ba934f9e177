import type { BlockEncoder } from './block-encoder.ts';
import type { EncoderSettings } from './formats.ts';
import { GzipMember } from './gzip-member.ts';

/** Writes one gzip member in one worker thread. Blocks are only how much is handed over at a time: the bytes do not depend on it. */
export function pakoEncoder({ level, blockSize, workers }: EncoderSettings): BlockEncoder {
  const member = new GzipMember(level);
  const session = workers.pako(level);
  return {
    blockSize,
    ahead: 1,
    early: 0,
    serial: true,
    head: member.head,
    prepare:
      ({ bytes, last }) =>
      async () => {
        const { packed, crc } = await session.push(bytes, last);
        member.join(crc, bytes.length);
        return packed;
      },
    tail: () => member.tail(),
    close: () => session.close(),
  };
}
