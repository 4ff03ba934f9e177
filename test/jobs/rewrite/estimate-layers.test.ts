import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import type { PackedEncoding } from '../../../src/codec/encoding.ts';
import { pipe, type Transform, withPlan } from '../../../src/image/image.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { prune } from '../../../src/slim/prune.ts';
import { squash } from '../../../src/slim/squash.ts';
import { buildImage, buildIndex, type BuiltTree } from '../../support/image-builder.ts';
import { layersIn } from '../../support/made-layers.ts';
import { MemorySource } from '../../support/memory-store.ts';
import { runTransform } from '../../support/run-image.ts';
import { rewrite, tar } from '../rig.ts';

const all = { kind: 'all' } as const;
const without = (path: string) => prune(all, { rules: [parseRule(path, '--rule')] });

/** Words and noise, so that a layer packs neither to nothing nor not at all; longer than several pieces. */
function mixture(length: number, seed: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = at % 3 === 0 ? state >>> 24 : 97 + ((at >> 4) % 7);
  }
  return bytes;
}

const long = tar({ name: 'long', body: mixture(9_000_000, 1) });
const short = tar({ name: 'short', body: mixture(30_000, 2) }, 'gone=1');
const built = buildImage({ layers: [long, short], compress: 'gzip' });

async function dryRun(tree: BuiltTree, transform: Transform) {
  const source = new MemorySource(tree);
  return { source, outcome: await runTransform({ source, target: null, transform }) };
}

async function estimatesOf(tree: BuiltTree, transform: Transform) {
  const { outcome } = await dryRun(tree, transform);
  return outcome.images.map(({ layers }) => layers.map(({ estimate }) => estimate));
}

async function sizesOf(tree: BuiltTree, transform: Transform): Promise<number[]> {
  const { outcome } = await rewrite(tree, [transform]);
  return layersIn(outcome).map(({ sealed }) => (sealed.kind === 'dropped' ? 0 : sealed.blob.size));
}

describe('a dry run estimates', () => {
  test.each<[string, PackedEncoding]>([
    ['gzip at its quickest level', { kind: 'gzip', level: 1, engine: 'libdeflate' }],
    ['gzip at a higher level', { kind: 'gzip', level: 9, engine: 'libdeflate' }],
    ['gzip by zlib', { kind: 'gzip', level: 6, engine: 'zlib' }],
    ['zstd', { kind: 'zstd', level: 3 }],
    ['zstd at a higher level', { kind: 'zstd', level: 12 }],
    ['no compression', { kind: 'none' }],
  ])('the size of each layer by %s within the error that it states', async (_, encoding) => {
    const transform = recompress(all, encoding);
    const [estimates = []] = await estimatesOf(built, transform);
    const sizes = await sizesOf(built, transform);
    expect(estimates).toHaveLength(2);
    for (const [i, estimate] of estimates.entries()) {
      if (estimate === undefined) throw new Error('no estimate');
      // Short layers differ by what each stream begins and ends with.
      expect(Math.abs(estimate.size - (sizes[i] ?? 0))).toBeLessThanOrEqual(estimate.error + 64);
      expect(estimate.error).toBeLessThanOrEqual(estimate.size * 0.05 + 1);
      expect(estimate.tarBytes).toBe([long, short][i]?.length);
    }
  });

  test('what is left of edited layers, and nothing for those that stay', async () => {
    const [pruned = []] = await estimatesOf(built, without('gone'));
    expect(pruned[0]).toBeUndefined();
    expect(pruned[1]?.tarBytes).toBeLessThan(short.length);
    const [squashed = []] = await estimatesOf(built, squash(all));
    const sizes = await sizesOf(built, squash(all));
    expect(squashed).toHaveLength(1);
    expect(Math.abs((squashed[0]?.size ?? 0) - (sizes[0] ?? 0))).toBeLessThanOrEqual(squashed[0]?.error ?? 0);
  });

  test('that a blob stays which would not get smaller, with its size', async () => {
    const best = await rewrite(built, [recompress(all, { kind: 'gzip', level: 12, engine: 'libdeflate' })]);
    const [estimates = []] = await estimatesOf(
      best.tree,
      recompress(all, { kind: 'gzip', level: 1, engine: 'libdeflate' }),
    );
    const sizes = layersIn(best.outcome).map(({ sealed }) =>
      sealed.kind === 'dropped' ? 0 : sealed.blob.size,
    );
    expect(estimates).toMatchObject(sizes.map((size) => ({ size, error: 0, stays: true })));
  });

  test('nothing for a layer that is dropped, and a layer of two images once', async () => {
    const images = ['amd64', 'arm64'].map((architecture) =>
      buildImage({ layers: [short], platform: { os: 'linux', architecture } }),
    );
    const index = buildIndex({ images });
    const { outcome, source } = await dryRun(index, recompress(all, { kind: 'zstd', level: 3 }));
    const [first, second] = outcome.images.map(({ layers }) => layers[0]?.estimate);
    expect(first).toBeDefined();
    expect(second).toBe(first);
    expect(source.countOf(outcome.images[0]?.image.manifest.layers[0]?.digest ?? '')).toBe(1);
    const dropped = await estimatesOf(
      buildImage({ layers: [tar('gone=1'), short] }),
      pipe(without('gone'), (image) => withPlan(image, { dropEmpty: true })),
    );
    expect(dropped[0]?.[0]).toBeUndefined();
  });
});
