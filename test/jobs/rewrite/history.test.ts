import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { type Image, type Transform, withPlan } from '../../../src/image/image.ts';
import { prune } from '../../../src/slim/prune.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { squash } from '../../../src/slim/squash.ts';
import { buildImage } from '../../support/image-builder.ts';
import { list } from '../../support/model/shorthand.ts';
import { MemorySource, MemoryTarget } from '../../support/memory-store.ts';
import { runTransform } from '../../support/run-image.ts';
import { imageIn, rewrite, rootfsIn, tar } from '../rig.ts';
import { layersIn } from '../../support/made-layers.ts';

const all = { kind: 'all' } as const;
const dropEmpty: Transform = (image: Image) => withPlan(image, { dropEmpty: true });
const without = (glob: string): Transform => prune(all, { rules: [parseRule(glob, '--rule')] });
const layers = [tar('a=1'), tar('b=2'), tar('c=3'), tar('d=4')];

function rowsOf(tree: Parameters<typeof imageIn>[0]): string[] {
  return (imageIn(tree).config.history ?? []).map(
    (row) => `${row.empty_layer === true ? '- ' : ''}${row.created_by ?? ''}`,
  );
}

describe('history', () => {
  test('one row stands for a squashed range; rows without a layer stay in their order', async () => {
    const { tree } = await rewrite(buildImage({ layers, history: 'with-empty-layers' }), [
      squash({ kind: 'range', from: 2, to: 3 }),
    ]);
    expect(rowsOf(tree)).toEqual([
      '- ENV BEFORE=1 # buildkit',
      'RUN step 1',
      '- ENV BEFORE=2 # buildkit',
      '- ENV BEFORE=3 # buildkit',
      'ocislim squash of layers 2..3',
      '- ENV BEFORE=4 # buildkit',
      'RUN step 4',
      '- CMD ["/bin/sh"] # buildkit',
    ]);
    const row = imageIn(tree).config.history?.[4];
    expect(row).toEqual({
      created: '2024-03-01T11:02:00Z',
      created_by: 'ocislim squash of layers 2..3',
      comment: 'replaces: RUN step 2; RUN step 3',
    });
    expect(imageIn(tree).config.created).toBe('2024-03-01T12:00:00Z');
  });

  test('the time of the new row is that of the newest one replaced, not of the last, and across time zones', async () => {
    const history = ['2024-03-01T12:00:00+02:00', '2024-03-01T11:30:00Z', '2024-03-01T11:00:00Z'].map(
      (created) => ({ created, created_by: 'RUN' }),
    );
    const { tree } = await rewrite(buildImage({ layers: layers.slice(0, 3), config: { history } }), [
      squash(all),
    ]);
    expect(imageIn(tree).config.history?.map(({ created }) => created)).toEqual(['2024-03-01T11:30:00Z']);
  });

  test('a row without a time, a name or a readable date does no harm', async () => {
    const history = [{ created: 'yesterday' }, { created: '2024-01-01T00:00:00Z', created_by: 'RUN' }, {}];
    const { tree } = await rewrite(buildImage({ layers: layers.slice(0, 3), config: { history } }), [
      squash(all),
    ]);
    expect(imageIn(tree).config.history).toEqual([
      {
        created: '2024-01-01T00:00:00Z',
        created_by: 'ocislim squash of layers 1..3',
        comment: 'replaces: (unnamed); RUN; (unnamed)',
      },
    ]);
  });

  test('SOURCE_DATE_EPOCH is the time of new rows and whiteouts, and config.created stays', async () => {
    const built = buildImage({ layers: [tar('a=1'), tar('.wh.a', 'b=2'), tar('c=1')] });
    const { tree } = await rewrite(built, [squash({ kind: 'range', from: 2, to: 3 })], {
      epoch: 1_600_000_000,
    });
    const image = imageIn(tree);
    expect(image.config.history?.at(-1)?.created).toBe('2020-09-13T12:26:40Z');
    expect(image.config.created).toBe('2024-03-01T12:00:00Z');
    expect(image.layers[1]?.map(({ name }) => name).sort()).toEqual(['.wh.a', 'b', 'c']);
    // The whiteout is kept verbatim; only what is made gets the time.
    const removed = await rewrite(
      buildImage({ layers: [tar('a=1'), tar('a=2', 'b=1')] }),
      [prune({ kind: 'last', count: 1 }, { rules: [parseRule('a', '--rule')] })],
      { epoch: 1_600_000_000 },
    );
    expect(imageIn(removed.tree).layers[1]?.find(({ name }) => name === '.wh.a')).toMatchObject({
      mtime: '1600000000',
      uid: 0,
      gid: 0,
      mode: 0,
    });
  });

  test('an epoch that a tar header cannot represent does not break the tar', async () => {
    const removed = await rewrite(
      buildImage({ layers: [tar('a=1'), tar('a=2', 'b=1')] }),
      [prune({ kind: 'last', count: 1 }, { rules: [parseRule('a', '--rule')] })],
      { epoch: 99_999_999_999 },
    );
    expect(list(...imageIn(removed.tree).layers)).toEqual(['b=1']);
    expect(Number(imageIn(removed.tree).layers[1]?.find(({ name }) => name === '.wh.a')?.mtime)).toBe(
      8 ** 11 - 1,
    );
  });

  test('a new whiteout has the time of the row that it replaces', async () => {
    const removed = await rewrite(buildImage({ layers: [tar('a=1'), tar('a=2', 'b=1')] }), [
      prune({ kind: 'last', count: 1 }, { rules: [parseRule('a', '--rule')] }),
    ]);
    expect(imageIn(removed.tree).layers[1]?.find(({ name }) => name === '.wh.a')?.mtime).toBe(
      String(Date.parse('2024-03-01T11:01:00Z') / 1000),
    );
  });

  test('an image without a history gets none', async () => {
    const { tree } = await rewrite(buildImage({ layers, history: 'none' }), [squash(all)]);
    expect(imageIn(tree).config.history).toBeUndefined();
    const { tree: pruned } = await rewrite(buildImage({ layers, history: 'none' }), [
      without('b'),
      dropEmpty,
    ]);
    expect(imageIn(pruned).config.history).toBeUndefined();
    expect(imageIn(pruned).layers).toHaveLength(3);
  });

  test('T12: a history of another length stays as it is where every layer keeps its place', async () => {
    const history = [{ created_by: 'only one row' }];
    const built = buildImage({ layers, config: { history } });
    // The model's validator objects to such a history, so the outcome is read by hand.
    for (const transform of [recompress(all, { kind: 'zstd', level: 1 }), without('b')]) {
      const target = new MemoryTarget();
      await runTransform({
        source: new MemorySource(built),
        target,
        transform,
        jobs: 1,
        maxScratch: 0,
      });
      const manifest = JSON.parse(new TextDecoder().decode(target.published?.bytes)) as {
        config: { digest: string };
      };
      expect(JSON.parse(new TextDecoder().decode(target.blobs.get(manifest.config.digest)))).toMatchObject({
        history,
      });
    }
  });

  const [base, env, run] = [
    { created_by: 'base' },
    { created_by: 'ENV', empty_layer: true },
    { created_by: 'RUN' },
  ];

  test.each<readonly [string, readonly object[], readonly string[], string]>([
    ['one row', [base], ['base', '', 'squash'], 'tells of 1 layer, but the image has 4: rows are added'],
    [
      'a row without a layer among too few',
      [base, env, run],
      ['base', '- ENV', 'RUN', 'squash'],
      'tells of 2 layers, but the image has 4: rows are added',
    ],
    [
      'rows without a layer alone',
      [env, env],
      ['- ENV', '- ENV', '', '', 'squash'],
      'tells of 0 layers, but the image has 4: rows are added',
    ],
    [
      'too many rows',
      [base, run, run, env, run, run, run],
      ['base', 'RUN', '- ENV', 'squash', '- RUN', '- RUN'],
      'tells of 6 layers, but the image has 4: the uppermost rows no longer count',
    ],
  ])('T12: %s: mended with a warning where layers become one', async (_, history, rows, warning) => {
    const built = buildImage({ layers, config: { history } });
    const { tree, warnings } = await rewrite(built, [squash({ kind: 'last', count: 2 })]);
    expect(rowsOf(tree).map((row) => row.replace(/ocislim squash of layers 3\.\.4/, 'squash'))).toEqual(rows);
    expect(warnings).toEqual([
      expect.stringContaining(`HISTORY_MENDED the history of linux/amd64 ${warning}`),
    ]);
  });

  test('T12: it is mended where a layer goes, and twice in the same way', async () => {
    const built = buildImage({ layers, config: { history: [base] } });
    const [one, two] = [
      await rewrite(built, [without('b'), dropEmpty]),
      await rewrite(built, [without('b'), dropEmpty]),
    ];
    expect(rowsOf(one.tree)).toEqual(['base', '- ', '', '']);
    expect(one.warnings).toEqual([expect.stringMatching(/^HISTORY_MENDED/)]);
    expect(two.tree.descriptor).toEqual(one.tree.descriptor);
  });

  test('a squash over rows that made no layer keeps unknown keys of the others', async () => {
    const history = [{ created_by: 'one', 'x-tool': [1] }, { created_by: 'two' }, { created_by: 'three' }];
    const { tree } = await rewrite(
      buildImage({ layers: layers.slice(0, 3), config: { history, 'x-top': { kept: true } } }),
      [squash({ kind: 'last', count: 2 })],
    );
    expect(imageIn(tree).config).toMatchObject({
      'x-top': { kept: true },
      history: [{ created_by: 'one', 'x-tool': [1] }, { created_by: 'ocislim squash of layers 2..3' }],
    });
  });
});

describe('layers that become empty', () => {
  test('they stay as empty layers', async () => {
    const { tree } = await rewrite(buildImage({ layers }), [without('b')]);
    expect(imageIn(tree).layers.map((entries) => entries.length)).toEqual([1, 0, 1, 1]);
    expect(rowsOf(tree)).toHaveLength(4);
  });

  test('they are dropped on request, and their rows marked', async () => {
    const { tree, outcome } = await rewrite(buildImage({ layers, history: 'with-empty-layers' }), [
      without('b'),
      dropEmpty,
    ]);
    expect(imageIn(tree).layers).toHaveLength(3);
    expect(rowsOf(tree).slice(2, 5)).toEqual([
      '- ENV BEFORE=2 # buildkit',
      '- RUN step 2',
      '- ENV BEFORE=3 # buildkit',
    ]);
    expect(layersIn(outcome).map(({ action }) => action)).toContain('dropped');
    expect(list(...imageIn(tree).layers)).toEqual(['a=1', 'c=3', 'd=4']);
  });

  test('all of them may be dropped', async () => {
    const { tree } = await rewrite(buildImage({ layers }), [without('*'), dropEmpty]);
    expect(imageIn(tree).layers).toEqual([]);
    expect(rowsOf(tree).every((row) => row.startsWith('- '))).toBe(true);
  });

  test('a range that ends empty: one empty layer, or none', async () => {
    const built = buildImage({ layers: [tar('a=1'), tar('b=2'), tar('.wh.b')] });
    const { tree } = await rewrite(built, [squash({ kind: 'last', count: 2 })]);
    // Layer 1 was not read: it might have had a "b", so the whiteout stays.
    expect(imageIn(tree).layers.map((entries) => entries.map(({ name }) => name))).toEqual([
      ['a'],
      ['.wh.b'],
    ]);
    const whole = await rewrite(buildImage({ layers: [tar('b=2'), tar('.wh.b')] }), [squash(all)]);
    expect(imageIn(whole.tree).layers.map((entries) => entries.length)).toEqual([0]);
    const gone = await rewrite(
      buildImage({ layers: [tar('b=2'), tar('.wh.b'), tar('c=1')], history: 'with-empty-layers' }),
      [squash({ kind: 'range', from: 1, to: 2 }), dropEmpty],
    );
    expect(imageIn(gone.tree).layers).toHaveLength(1);
    expect(rowsOf(gone.tree).filter((row) => !row.startsWith('- '))).toEqual(['RUN step 3']);
  });

  test('empty layers of the source can be squashed, pruned and packed', async () => {
    const empty = tar();
    const built = buildImage({ layers: [empty, tar('a=1'), empty, empty] });
    for (const transform of [
      squash(all),
      squash({ kind: 'last', count: 2 }),
      prune(all, { shadowed: true }),
      recompress(all, { kind: 'zstd', level: 3 }),
    ]) {
      const { tree } = await rewrite(built, [transform]);
      expect(list(...imageIn(tree).layers)).toEqual(['a=1']);
    }
    expect(rootfsIn((await rewrite(buildImage({ layers: [] }), [(image) => image])).tree).size).toBe(1);
  });
});

test('two layers with the same digest are read once and keep their places', async () => {
  const twice = tar('a=1', 'b=2');
  const built = buildImage({ layers: [twice, tar('a=other', '.wh.b'), twice] });
  const packed = await rewrite(built, [recompress(all, { kind: 'zstd', level: 3 })]);
  expect(packed.source.countOf(built.layers[0]?.digest ?? '')).toBe(1);
  expect(packed.target.count('stage')).toBe(2);
  for (const transform of [
    squash(all),
    squash({ kind: 'range', from: 1, to: 2 }),
    squash({ kind: 'last', count: 2 }),
    prune(all, { shadowed: true }),
  ]) {
    const { tree } = await rewrite(built, [transform]);
    expect(list(...imageIn(tree).layers)).toEqual(['a=1', 'b=2']);
  }
  // Selected in one place only, the other stays what it is.
  const { tree } = await rewrite(built, [
    prune({ kind: 'last', count: 1 }, { rules: [parseRule('b', '--rule')] }),
  ]);
  expect(imageIn(tree).manifest.layers[0]?.digest).toBe(built.layers[0]?.digest);
  expect(list(...imageIn(tree).layers)).toEqual(['a=1']);
});
