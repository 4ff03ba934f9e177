import type { BlockEncoder } from './block-encoder.ts';
import type { EncoderSettings } from './formats.ts';

/** Writes a gzip member for each block, in worker threads. libdeflate states no time, and the operating system 255. */
export function libdeflateEncoder({ level, blockSize, workers }: EncoderSettings): BlockEncoder {
  return {
    blockSize,
    ahead: 4,
    serial: false,
    head: null,
    prepare:
      ({ bytes }) =>
      () =>
        workers.libdeflate(bytes, level),
    tail: () => null,
    close: () => {},
  };
}
