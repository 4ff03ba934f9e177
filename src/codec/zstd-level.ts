import { constants } from 'node:zlib';
import { MiB } from '../units.ts';

/** The window that every client decodes. Levels 20–22 would take up to 128 MiB. */
const maxWindowLog = 23;

export interface ZstdLevel {
  /** Bytes of input in a frame. */
  readonly frameSize: number;
  readonly windowLog: number;
  readonly params: Readonly<Record<number, number>>;
}

/**
 * How each level is run. A frame knows nothing of those before it, so higher levels need larger frames; a window wider than
 * the level's own wins back more than the cuts cost, at no cost in time: layers get 0.4 to 3 % smaller than by the zstd program
 * at the same level, in no more time (bench/README.md, "Packing", also for what was tried besides: with such windows
 * long-distance matching finds nothing more). A task at level 19 takes 80 MiB: tables of 48, a frame of 24, and its output.
 */
export function zstdLevel(level: number): ZstdLevel {
  const windowLog = level <= 4 ? 22 : maxWindowLog;
  const frameSize = (level <= 8 ? 8 : level <= 16 ? 16 : 24) * MiB;
  return {
    frameSize,
    windowLog,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_windowLog]: windowLog,
      [constants.ZSTD_c_contentSizeFlag]: 1,
      [constants.ZSTD_c_checksumFlag]: 1,
      // The own tables of level 19 are twice as large, and save 0.2 %; those of level 22, eight times, and no more.
      ...(level >= 19 ? { [constants.ZSTD_c_hashLog]: 22, [constants.ZSTD_c_chainLog]: 23 } : {}),
    },
  };
}

/** Whether the level, left alone, would look further back than the 8 MiB that we keep to. */
export function windowCapped(level: number): boolean {
  return level >= 20;
}
