import type { BlockEncoder } from './block-encoder.ts';
import type { GzipWorkers } from './gzip-workers.ts';
import { MiB } from '../units.ts';

export const libdeflateBlock = MiB;

/**
 * A gzip member for each block, in worker threads. libdeflate writes no time and the operating system 255 into the header.
 */
export function libdeflateEncoder(level: number, workers: GzipWorkers): BlockEncoder {
  return {
    blockSize: libdeflateBlock,
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
