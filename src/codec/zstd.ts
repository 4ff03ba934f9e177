import { constants, createZstdCompress } from 'node:zlib';
import { OcislimError } from '../errors.ts';
import type { BlockEncoder } from './block-encoder.ts';
import { packInOneCall, roomFor } from './one-call.ts';
import { ZstdFrameScanner } from './zstd-frame.ts';
import { zstdLevel } from './zstd-level.ts';
import { MiB } from '../units.ts';

/**
 * A zstd frame for each block, at once on Node's thread pool; libzstd's own threads (`nbWorkers`) give broken frames there.
 */
export function zstdEncoder(level: number): BlockEncoder {
  const { frameSize, params } = zstdLevel(level);
  return {
    blockSize: frameSize,
    ahead: frameSize > 16 * MiB ? 0 : frameSize > 8 * MiB ? 1 : 2,
    serial: false,
    head: null,
    prepare:
      ({ bytes }) =>
      async () => {
        const engine = createZstdCompress({
          params,
          pledgedSrcSize: bytes.length,
          flush: constants.ZSTD_e_end,
          ...roomFor(compressBound(bytes.length)),
        });
        const packed = await packInOneCall(engine, bytes);
        checkFrame(packed, bytes.length);
        return packed;
      },
    tail: () => null,
    close: () => {},
  };
}

/** What libzstd says a frame can at most grow to (ZSTD_COMPRESSBOUND); with as much room it packs straight into the output. */
function compressBound(length: number): number {
  return length + Math.ceil(length / 256) + 1024;
}

/** One frame, whole, of the right length: Node has given other things without an error. */
function checkFrame(packed: Uint8Array, length: number): void {
  const scanner = new ZstdFrameScanner();
  const end = scanner.push(packed, scanner.push(packed, 0));
  const { header } = scanner;
  if (scanner.done && end === packed.length && header?.kind === 'zstd' && header.contentSize === length)
    return;
  throw new OcislimError('CODEC', 'zstd gave something other than the one frame that it was asked for');
}
