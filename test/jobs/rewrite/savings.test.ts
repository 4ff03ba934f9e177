import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { repackBetter } from '../../../src/compress/repack.ts';
import type { MinSavings } from '../../../src/image/image.ts';
import { prune } from '../../../src/slim/prune.ts';
import { squash } from '../../../src/slim/squash.ts';
import { buildImage } from '../../support/image-builder.ts';
import { digestsOf, fail, imageIn, rewrite, tar } from '../rig.ts';
import { layersIn } from '../../support/made-layers.ts';

const all = { kind: 'all' } as const;
const text = tar({
  name: 'text',
  body: new TextEncoder().encode('the same words again and again. '.repeat(2000)),
});
const small = tar('a=1');

function actionsOf({ outcome }: Awaited<ReturnType<typeof rewrite>>): string[] {
  return layersIn(outcome).map(({ action }) => action);
}

describe('a layer that gets no smaller', () => {
  test('keeps its blob in its own format', async () => {
    const built = buildImage({ layers: [text, small] });
    const best = await rewrite(built, [recompress(all, { kind: 'gzip', level: 12, engine: 'libdeflate' })]);
    const again = await rewrite(best.tree, [recompress(all, { kind: 'gzip', level: 1, engine: 'zlib' })]);
    expect(actionsOf(again)).toEqual(['not-smaller', 'not-smaller']);
    expect(again.outcome.root?.descriptor.digest).toBe(best.outcome.root?.descriptor.digest);
    expect(again.target.count('abort')).toBe(2);
    expect(again.target.count('commit')).toBe(0);
  });

  test('changes its format anyway, unless a threshold forbids it', async () => {
    const built = buildImage({ layers: [text, small] });
    const plain = await rewrite(built, [recompress(all, { kind: 'none' })]);
    expect(actionsOf(plain)).toEqual(['recompressed', 'recompressed']);
    const kept = await rewrite(built, [recompress(all, { kind: 'none' }, { kind: 'bytes', bytes: 0 })]);
    expect(actionsOf(kept)).toEqual(['not-smaller', 'not-smaller']);
    expect(digestsOf(kept.tree)).toEqual(digestsOf(built));
  });

  test('is copied after the result was discarded, if it cannot be mounted', async () => {
    const best = await rewrite(buildImage({ layers: [text] }), [
      recompress(all, { kind: 'gzip', level: 12, engine: 'libdeflate' }),
    ]);
    const { outcome, target, source } = await rewrite(
      best.tree,
      [recompress(all, { kind: 'gzip', level: 1, engine: 'zlib' })],
      { target: { mountable: { registry: 'https://other.test', repository: 'app' } } },
    );
    expect(layersIn(outcome)).toMatchObject([{ action: 'not-smaller', sealed: { adoption: 'copied' } }]);
    expect(source.countOf(digestsOf(best.tree)[0] ?? '')).toBe(2);
    expect(target.pending).toBe(0);
  });
});

describe('--min-savings', () => {
  const built = buildImage({ layers: [text, small], compress: 'none' });
  const gzip = { kind: 'gzip', level: 6, engine: 'libdeflate' } as const;
  const saved = async (index: number): Promise<number> => {
    const packed = await rewrite(built, [recompress(all, gzip)]);
    return (built.layers[index]?.size ?? 0) - (imageIn(packed.tree).manifest.layers[index]?.size ?? 0);
  };

  test('the threshold itself is enough, one byte more is not', async () => {
    const exact = await saved(0);
    const actions = async (savings: MinSavings): Promise<string[]> =>
      actionsOf(await rewrite(built, [recompress(all, gzip, savings)]));
    expect(await actions({ kind: 'bytes', bytes: exact })).toEqual(['recompressed', 'not-smaller']);
    expect(await actions({ kind: 'bytes', bytes: exact + 1 })).toEqual(['not-smaller', 'not-smaller']);
    expect(await actions({ kind: 'ratio', ratio: exact / (built.layers[0]?.size ?? 1) })).toEqual([
      'recompressed',
      'not-smaller',
    ]);
    expect(await actions({ kind: 'ratio', ratio: 1 })).toEqual(['not-smaller', 'not-smaller']);
    expect(await actions({ kind: 'ratio', ratio: 0.5 })).toEqual(['recompressed', 'recompressed']);
  });

  test('counts for packing better too', async () => {
    const packed = buildImage({ layers: [text] });
    const actions = async (ratio: number) =>
      actionsOf(await rewrite(packed, [repackBetter(all, { kind: 'ratio', ratio })]));
    expect(await actions(0.0001)).toEqual(['recompressed']);
    expect(await actions(0.9)).toEqual(['not-smaller']);
  });

  test('does not discard layers that slimming changed', async () => {
    const result = await rewrite(built, [squash(all), recompress(all, gzip, { kind: 'ratio', ratio: 1 })]);
    expect(actionsOf(result)).toEqual(['rewritten']);
  });
});

describe('--require-savings', () => {
  const built = buildImage({ layers: [text, small], compress: 'none' });

  test('met: published; not met: nothing is', async () => {
    const gzip = recompress(all, { kind: 'gzip', level: 6, engine: 'libdeflate' });
    await rewrite(built, [gzip], { requireSavings: 0.9 });
    const { error, target } = await fail(built, [gzip], { requireSavings: 0.999 });
    expect(error.code).toBe('GATE');
    expect(error.message).toMatch(
      /^the layers shrink by \d\d\.\d % only, but should shrink by 99\.9 %; nothing was published$/,
    );
    expect(target.count('putManifest')).toBe(0);
  });

  test('the message for an image that grows has no misleading minus sign', async () => {
    const packed = buildImage({ layers: [text] });
    const { error } = await fail(packed, [recompress(all, { kind: 'none' })], { requireSavings: 0 });
    expect(error.message).toMatch(/^the layers grow by \d+(?:\.\d)? %/);
  });

  test('an unchanged image saves nothing', async () => {
    expect((await fail(built, [(image) => image], { requireSavings: 0.01 })).error.code).toBe('GATE');
    await rewrite(buildImage({ layers: [] }), [(image) => image], { requireSavings: 0 });
  });
});

test('packing better keeps each format, and makes gzip of plain layers', async () => {
  const built = buildImage({ layers: [text, text, text], compress: ['gzip', 'zstd', 'none'] });
  const { tree } = await rewrite(built, [repackBetter(all)]);
  const [gzip, zstd] = built.layers.map(({ mediaType }) => mediaType);
  expect(imageIn(tree).manifest.layers.map(({ mediaType }) => mediaType)).toEqual([gzip, zstd, gzip]);
});

describe('a destination of plain layers', () => {
  const target = { layerFormat: 'plain', mountable: null } as const;

  test('gets every layer unpacked, whichever compression the options name', async () => {
    const built = buildImage({ layers: [text, small, tar('b=1')], compress: ['gzip', 'zstd', 'none'] });
    for (const transform of [
      recompress(all, { kind: 'zstd', level: 3 }),
      prune(all, { shadowed: true }),
      (image: never) => image,
    ]) {
      const { tree, outcome } = await rewrite(built, [transform as never], { target });
      expect(imageIn(tree).manifest.layers.map(({ mediaType }) => mediaType.endsWith('.tar'))).toEqual([
        true,
        true,
        true,
      ]);
      expect(digestsOf(tree)).toEqual([...built.diffIds]);
      expect(layersIn(outcome).map(({ diffId }) => diffId)).toEqual(built.diffIds);
    }
  });
});
