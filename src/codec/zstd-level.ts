import { MiB } from '../units.ts';

export interface ZstdLevel {
  /** Bytes of input in a frame. */
  readonly frameSize: number;
  readonly windowLog: number;
  /** The base 2 logarithms of two tables, where they are not the level's own. */
  readonly tables: { readonly hashLog: number; readonly chainLog: number } | null;
  /** Whether the level, left alone, would look further back than the 8 MiB that we keep to. */
  readonly windowCapped: boolean;
}

/** The window that every client decodes. Levels 20 to 22 would take up to 128 MiB. */
const maxWindowLog = 23;

/**
 * Returns how a level is run. A frame knows nothing of those before it, so higher levels need larger frames. A window wider than
 * the level's own wins back more than the cuts cost, at no cost in time: layers get 0.4 to 3 % smaller than by the zstd program
 * at the same level, in no more time (bench/README.md, "Packing"; with such windows long-distance matching finds nothing
 * more). A task at level 19 takes 80 MiB: tables of 48, a frame of 24, and its output.
 */
export function zstdLevel(level: number): ZstdLevel {
  return {
    frameSize: (level <= 8 ? 8 : level <= 16 ? 16 : 24) * MiB,
    windowLog: level <= 4 ? 22 : maxWindowLog,
    // The own tables of level 19 are twice as large, and save 0.2 %; those of level 22, eight times, and no more.
    tables: level >= 19 ? { hashLog: 22, chainLog: 23 } : null,
    windowCapped: level >= 20,
  };
}
