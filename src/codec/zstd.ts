/**
 * Packs zstd with Node's encoder, a frame for each block. The table of formats loads it.
 */
import { constants, createZstdCompress } from 'node:zlib';
import { OcislimError } from '../errors.ts';
import type { BlockEncoder } from './block-encoder.ts';
import type { EncoderSettings } from './formats.ts';
import { packInOneCall, roomFor } from './one-call.ts';
import { ZstdFrameScanner } from './zstd-frame.ts';
import { type ZstdLevel, zstdLevel } from './zstd-level.ts';
import { MiB } from '../units.ts';

/**
 * Writes a zstd frame for each block, several at once on Node's thread pool: libzstd's own threads (`nbWorkers`) give broken
 * frames there.
 */
export function zstdEncoder({ level, blockSize }: EncoderSettings): BlockEncoder {
  const params = parametersOf(level, zstdLevel(level));
  return {
    blockSize,
    ahead: blockSize > 16 * MiB ? 0 : blockSize > 8 * MiB ? 1 : 2,
    early: 0,
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

function parametersOf(level: number, { windowLog, tables }: ZstdLevel): Readonly<Record<number, number>> {
  return {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_windowLog]: windowLog,
    [constants.ZSTD_c_contentSizeFlag]: 1,
    [constants.ZSTD_c_checksumFlag]: 1,
    ...(tables === null
      ? {}
      : { [constants.ZSTD_c_hashLog]: tables.hashLog, [constants.ZSTD_c_chainLog]: tables.chainLog }),
  };
}

/** Returns the largest size of a frame (ZSTD_COMPRESSBOUND). With that much room libzstd packs directly into the output. */
function compressBound(length: number): number {
  return length + Math.ceil(length / 256) + 1024;
}

/** Checks that the output is one whole frame of the right length: Node has given other things without an error. */
function checkFrame(packed: Uint8Array, length: number): void {
  const scanner = new ZstdFrameScanner();
  const end = scanner.push(packed, scanner.push(packed, 0));
  const { header } = scanner;
  if (scanner.done && end === packed.length && header?.kind === 'frame' && header.contentSize === length)
    return;
  throw new OcislimError('CODEC', 'the zstd encoder did not write exactly one whole frame');
}
