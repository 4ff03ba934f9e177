import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { assignmentName, assignmentOf } from '../../../src/image/relayering.ts';
import { relayer, type RelayerOptions } from '../../../src/slim/relayer.ts';
import { squash } from '../../../src/slim/squash.ts';
import { type BuiltTree } from '../../support/image-builder.ts';
import { diffRootfs } from '../../support/model/filesystem.ts';
import { designedImage } from '../../support/small-image.ts';
import { imageOf as plainImageOf } from '../../laws/rig.ts';
import { digestsOf, fail, imageIn, rewrite, rootfsIn } from '../rig.ts';

const all = { kind: 'all' } as const;
const options: RelayerOptions = {
  by: 'path',
  maxLayers: 20,
  maxLayer: null,
  groups: [],
  noise: 'keep',
  previousOf: () => [],
};
const laidOut = relayer(all, options);
const image = designedImage();

const countOpened = (tree: BuiltTree, opened: readonly string[]): number[] =>
  digestsOf(tree).map((digest) => opened.filter((each) => each === digest).length);

/** Returns what an image states of its layout. */
function notesOf(tree: BuiltTree) {
  const { manifest, config } = imageIn(tree);
  const noted = (texts: unknown): string | undefined =>
    ((texts ?? {}) as Readonly<Record<string, string>>)[assignmentName];
  return { annotation: noted(manifest.annotations), label: noted(config.config?.['Labels']) };
}

describe('a relayered image', () => {
  test('has the files of its source, in other layers that a label and an annotation tell of', async () => {
    const { tree, outcome } = await rewrite(image, [laidOut]);
    expect(diffRootfs(rootfsIn(image), rootfsIn(tree))).toEqual([]);
    const read = imageIn(tree);
    const { annotation, label } = notesOf(tree);
    const note = JSON.parse(annotation ?? '{}') as { layers: string[][] };
    expect(label).toBe(annotation);
    expect(note.layers).toHaveLength(read.layers.length);
    expect(outcome.images[0]?.resolution.relayered?.assignment.layers).toEqual(note.layers);
    const rows = read.config.history?.filter((row) => row.empty_layer !== true) ?? [];
    expect(rows).toHaveLength(read.layers.length);
    expect(rows[0]?.created_by).toMatch(/^ocislim relayer of layers 1\.\.\d+, 1 of \d+$/);
  });

  test.each([
    ['gzip', { kind: 'gzip', engine: 'libdeflate', level: 1 }],
    ['zstd', { kind: 'zstd', level: 1 }],
    ['none', { kind: 'none' }],
  ] as const)('has the same bytes in every way of writing, as %s', async (_, encoding) => {
    const transforms = [laidOut, recompress(all, encoding)];
    const whole = await rewrite(image, transforms);
    const atOnce = await rewrite(image, transforms, { target: { takesSideBySide: true } });
    const alone = await rewrite(image, transforms, { maxScratch: 0 });
    expect(digestsOf(atOnce.tree)).toEqual(digestsOf(whole.tree));
    expect(digestsOf(alone.tree)).toEqual(digestsOf(whole.tree));
  });

  test('reads its source twice: once to scan, once to write', async () => {
    for (const takesSideBySide of [true, false]) {
      const { source } = await rewrite(image, [laidOut], { target: { takesSideBySide, mountable: null } });
      expect(Math.max(...countOpened(image, source.opened))).toBeLessThanOrEqual(2);
    }
  });

  test('keeps its layers where the same is asked for again', async () => {
    const first = await rewrite(image, [laidOut]);
    const again = relayer(all, { ...options, previousOf: (image) => [assignmentOf(image) ?? []].flat() });
    const second = await rewrite(first.tree, [again]);
    expect(second.tree.descriptor.digest).toBe(first.tree.descriptor.digest);
  });

  test('sends lost uploads again', async () => {
    const whole = await rewrite(image, [laidOut]);
    const { tree } = await rewrite(image, [laidOut], { target: { loses: { stage: 3, commit: 2 } } });
    expect(digestsOf(tree)).toEqual(digestsOf(whole.tree));
  });

  test('that is squashed tells of no layout any more', async () => {
    const { tree } = await rewrite(image, [laidOut]);
    const flat = await rewrite(tree, [squash(all)]);
    expect(notesOf(flat.tree)).toEqual({ annotation: undefined, label: undefined });
  });
});

test.each([true, false])(
  'a source that breaks off ends the run, side by side: %s',
  async (takesSideBySide) => {
    const [digest = ''] = digestsOf(image);
    const { error } = await fail(image, [laidOut], {
      source: { cutAfter: { [digest]: 100 } },
      target: { takesSideBySide },
    });
    expect(error.code).toBe('NETWORK');
  },
);

test('the layers of a base stay as they are', async () => {
  const { tree } = await rewrite(image, [relayer({ kind: 'from', layer: 4 }, options)]);
  expect(digestsOf(tree).slice(0, 3)).toEqual(digestsOf(image).slice(0, 3));
  expect(diffRootfs(rootfsIn(image), rootfsIn(tree))).toEqual([]);
  expect(digestsOf(tree).length).toBeLessThanOrEqual(20);
});

test('a note of the first form states a layout, and digests that nothing is compared with', () => {
  const noted = (note: object) => {
    const annotations = { [assignmentName]: JSON.stringify(note) };
    const read = plainImageOf([]);
    return assignmentOf({
      ...read,
      manifest: { ...read.manifest, json: { ...read.manifest.json, annotations } },
    });
  };
  const layers = [['rest']];
  expect(noted({ layers, digests: { rest: 'a' } })).toEqual({ layers });
  expect(noted({ layers, contents: { rest: 'a' } })).toEqual({ layers, digests: { rest: 'a' } });
});
