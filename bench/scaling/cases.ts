/** The images that grow in one respect: bytes, entries or layers. bench/scaling.ts builds and measures them. */
import type { Argv } from '../measure/command.ts';
import type { Machine } from '../measure/machine.ts';
import type { Usage } from '../measure/account.ts';
import { madeUpTar } from '../inputs/made-up-tar.ts';
import type { Tar } from '../inputs/write-layout.ts';
import { GiB } from '../../src/units.ts';

export const axes = ['bytes', 'entries', 'layers'] as const;
export type Axis = (typeof axes)[number];

/** An image that is large in one respect. */
export interface Case {
  readonly axis: Axis;
  /** The size: bytes of the large layer's tar, entries in it, or layers. */
  readonly at: number;
  /** Whether it has more than a gigabyte or a million entries: measured only with `--large`. */
  readonly large: boolean;
  readonly layers: () => readonly Tar[];
}

const files = 100;

/**
 * Every image of more than one layer has a file in each layer that the next one overwrites, so that there is
 * something to do.
 */
export const cases: readonly Case[] = [
  ...[1e7, 1e8, 1e9, 10 * GiB].map((bytes): Case => {
    const size = Math.round(bytes / files / 512) * 512;
    return {
      axis: 'bytes',
      at: bytes,
      large: bytes > 1e9,
      layers: () => [
        madeUpTar({ count: files, size, prefix: 'file' }),
        madeUpTar({ count: 1, size: 1024, prefix: 'file' }),
      ],
    };
  }),
  ...[1e2, 1e3, 1e4, 1e5, 1e6].map(
    (count): Case => ({
      axis: 'entries',
      at: count,
      large: count > 1e5,
      layers: () => [
        madeUpTar({ count, size: 256, prefix: 'file', inDirectories: 250 }),
        madeUpTar({ count: 1, size: 256, prefix: 'file', inDirectories: 250 }),
      ],
    }),
  ),
  ...[1, 12, 50, 127].map(
    (count): Case => ({
      axis: 'layers',
      at: count,
      large: false,
      layers: () =>
        Array.from({ length: count }, (_, i) =>
          madeUpTar({ count: 50, size: 20_000, prefix: 'file', from: i * 49 }),
        ),
    }),
  ),
];

export const commands: readonly Argv[] = [
  ['recompress', '--compression', 'zstd', '--level', '3'],
  ['squash', '--all'],
  ['prune', '--shadowed'],
];

/** The content of bench/scaling.json. */
export interface ScalingResults {
  readonly machine: Machine;
  readonly date: string | null;
  readonly version: string;
  readonly rows: readonly ScalingRow[];
}

export interface ScalingRow {
  readonly axis: Axis;
  readonly at: number;
  /** The command as a person would type it. */
  readonly command: string;
  readonly runs: readonly Usage[];
  readonly failure: string | null;
}
