/** Compares two images in memory, for the tests of `diff`. */
import { expect } from 'vitest';
import type { ImageDiff, PlatformDiff } from '../../src/analyze/diff/image-diff.ts';
import { silent } from '../../src/events.ts';
import { diffImages, type DiffOptions } from '../../src/jobs/compare/diff.ts';
import type { BuiltTree } from './image-builder.ts';
import { MemorySource, type MemorySourceOptions } from './memory-store.ts';

export type Compared = { readonly diff: ImageDiff; readonly a: MemorySource; readonly b: MemorySource };

/** Compares two images, and proves that no stream is left open. */
export async function compareTrees(
  left: BuiltTree,
  right: BuiltTree,
  options: Partial<DiffOptions> & { readonly source?: MemorySourceOptions } = {},
): Promise<Compared> {
  const a = new MemorySource(left, { label: 'a.test/app:1', ...options.source });
  const b = new MemorySource(right, { label: 'b.test/app:2', ...options.source });
  try {
    const diff = await diffImages({
      a,
      b,
      platforms: [],
      jobs: 2,
      maxScratch: 0,
      listener: silent,
      signal: new AbortController().signal,
      ignored: [],
      selection: null,
      layers: false,
      patch: false,
      ...options,
    });
    return { diff, a, b };
  } finally {
    expect([a.held, b.held]).toEqual([0, 0]);
  }
}

/** Returns what differs in the only platform of both images. */
export function onlyPlatform({ platforms }: ImageDiff): PlatformDiff {
  const [platform, ...more] = platforms;
  if (platform === undefined || more.length > 0) throw new Error(`${platforms.length} platforms`);
  return platform;
}

/** Returns whether a comparison lists nothing that differs: neither files nor members nor aspects of layers. */
export function listsNothing({ platforms, index, artifacts }: ImageDiff): boolean {
  return (
    index.length + artifacts.length === 0 &&
    platforms.every(
      ({ a, b, files, config, history, manifest, layers }) =>
        a !== null &&
        b !== null &&
        files.length + config.length + history.length + manifest.length === 0 &&
        layers.every(({ aspects }) => aspects.length === 0),
    )
  );
}
