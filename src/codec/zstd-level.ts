import { constants } from 'node:zlib';

const MiB = 1024 * 1024;

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
 * the level's own wins back more than the cuts cost, at no cost in time (measured on layers of 170 and 284 MB: sizes stay
 * below or within 0.7 % of a single frame by the zstd program at the same level). A task at level 19 takes 110 MiB:
 * tables of 80, a frame of 24, and its output.
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
      // The tables of level 19: in a window of 8 MiB larger ones take twice the memory and save nothing.
      ...(level >= 20 ? { [constants.ZSTD_c_hashLog]: 22, [constants.ZSTD_c_chainLog]: 24 } : {}),
    },
  };
}

/** Whether the level, left alone, would look further back than the 8 MiB that we keep to. */
export function windowCapped(level: number): boolean {
  return level >= 20;
}
