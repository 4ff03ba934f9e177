import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { tune } from '../../../src/compress/tune.ts';
import type { LayerTuning } from '../../../src/jobs/rewrite/tune-layers.ts';
import { pipe, type Transform, type TuningGoal } from '../../../src/image/image.ts';
import { buildReport } from '../../../src/report/build.ts';
import { renderMarkdown } from '../../../src/report/markdown.ts';
import { reportSchema } from '../../../src/report/schema.ts';
import { renderSummary } from '../../../src/report/summary.ts';
import { squash } from '../../../src/slim/squash.ts';
import { buildImage, buildIndex } from '../../support/image-builder.ts';
import { digestsOf, fail, imageIn, type Rewritten, rewrite, tar } from '../rig.ts';
import { layersIn } from '../../support/made-layers.ts';

const all = { kind: 'all' } as const;
const words = new TextEncoder().encode(
  Array.from(
    { length: 9000 },
    (_, i) => `${(i * 7919) % 1009} words of ${i % 97} and ${(i * i) % 503};`,
  ).join('\n'),
);
const text = tar({ name: 'text', body: words });
const other = tar('more=1', { name: 'other', body: words.subarray(40_000) });
const small = tar('a=1');
const pull = (bytesPerSecond: number): TuningGoal => ({ kind: 'pull', bytesPerSecond });
const slow = pull(1e5);

function tuningsOf({ outcome }: Pick<Rewritten, 'outcome'>): LayerTuning[] {
  return (outcome.images[0]?.layers ?? []).flatMap(({ tuning }) => tuning ?? []);
}

function reportOf({ outcome }: Rewritten) {
  return buildReport(outcome, {
    tool: { name: 'ocislim', version: '0' },
    command: 'recompress',
    sourceReference: 'source',
    destinationReferences: ['destination'],
    warnings: [],
    squashOrigin: '--all',
  });
}

describe('pull', () => {
  test('chooses format and level from the layer itself: the bytes are those of the level given by hand', async () => {
    const built = buildImage({ layers: [text, other], compress: 'gzip' });
    const tuned = await rewrite(built, [tune(all, { goal: slow })]);
    const byHand = tuningsOf(tuned).map(
      ({ chosen }, i): Transform =>
        chosen.encoding === null
          ? (image) => image
          : recompress({ kind: 'range', from: i + 1, to: i + 1 }, chosen.encoding),
    );
    expect(byHand).toHaveLength(2);
    expect(layersIn(tuned.outcome).map(({ compression }) => compression)).toEqual(['zstd', 'zstd']);
    expect(digestsOf((await rewrite(built, [pipe(...byHand)])).tree)).toEqual(digestsOf(tuned.tree));
    expect(imageIn(tuned.tree).tars).toEqual([text, other]);
  });

  test('knows the size of a layer that it has seen whole', async () => {
    const built = buildImage({ layers: [text], compress: 'none' });
    const tuned = await rewrite(built, [tune(all, { goal: slow })]);
    const [tuning] = tuningsOf(tuned);
    expect(tuning?.sampledBytes).toBe(text.length);
    expect(tuning?.chosen.size).toBe(layersIn(tuned.outcome)[0]?.size);
    expect(tuning?.options.map(({ compression }) => compression)).toEqual([
      'none',
      ...Array.from({ length: 4 }, () => 'gzip'),
      ...Array.from({ length: 6 }, () => 'zstd'),
    ]);
  });

  test('keeps to the format that it is given, and leaves a blob that is as good', async () => {
    const built = buildImage({ layers: [text, text], compress: ['gzip', 'zstd'] });
    const tuned = await rewrite(built, [tune(all, { goal: slow, format: 'gzip' })]);
    expect(imageIn(tuned.tree).manifest.layers.every(({ mediaType }) => mediaType.endsWith('+gzip'))).toBe(
      true,
    );
    const again = await rewrite(tuned.tree, [tune(all, { goal: slow, format: 'gzip' })]);
    expect(tuningsOf(again).map(({ chosen }) => chosen.encoding)).toEqual([null, null]);
    expect(again.outcome.root?.descriptor.digest).toBe(tuned.outcome.root?.descriptor.digest);
  });

  test('tries what a squash makes of the layers, not the layers', async () => {
    const built = buildImage({ layers: [text, other, tar('.wh.text')] });
    const { outcome, tree } = await rewrite(built, [squash(all), tune(all, { goal: slow })]);
    const [tuning, ...rest] = tuningsOf({ outcome });
    expect(rest).toEqual([]);
    expect(tuning?.tarBytes).toBe(imageIn(tree).tars[0]?.length);
    expect(tuning?.options.some(({ encoding }) => encoding === null)).toBe(false);
    expect(layersIn(outcome)[0]?.action).toBe('rewritten');
  });

  test('tries a layer that two platforms have once', async () => {
    const images = ['amd64', 'arm64'].map((architecture) =>
      buildImage({ layers: [text], platform: { os: 'linux', architecture } }),
    );
    const { outcome, source } = await rewrite(buildIndex({ images }), [tune(all, { goal: slow })]);
    expect(outcome.images.map(({ layers }) => layers.filter(({ tuning }) => tuning !== null).length)).toEqual(
      [1, 1],
    );
    // Tried, and packed; the scratch copy serves the second reading.
    expect(source.countOf(images[0]?.layers[0]?.digest ?? '')).toBe(1);
  });

  test('tries nothing for a destination of plain layers', async () => {
    const built = buildImage({ layers: [text, other] });
    const { outcome, tree } = await rewrite(
      built,
      [tune(all, { goal: slow }), squash({ kind: 'last', count: 1 })],
      {
        target: { layerFormat: 'plain', mountable: null },
      },
    );
    expect(tuningsOf({ outcome })).toEqual([]);
    expect(digestsOf(tree)).toEqual([...built.diffIds]);
  });

  test('fails for a layer that cannot be read, before anything is written', async () => {
    const built = buildImage({ layers: [text, other] });
    const digest = built.layers[1]?.digest ?? '';
    const { error, target } = await fail(built, [tune(all, { goal: slow })], {
      source: { cutAfter: { [digest]: 100 } },
    });
    expect(error.message).toMatch(/layer 2/);
    expect(target.count('stage')).toBe(0);
  });

  test('can be interrupted while it tries', async () => {
    const controller = new AbortController();
    const { OcislimError } = await import('../../../src/errors.ts');
    const built = buildImage({ layers: [text, other] });
    const digest = built.layers[1]?.digest ?? '';
    const { error } = await fail(built, [tune(all, { goal: slow })], {
      signal: controller.signal,
      source: {
        onOpen: (opened) => {
          if (opened === digest) controller.abort(new OcislimError('INTERRUPTED', 'interrupted'));
        },
      },
    });
    expect(error.code).toBe('INTERRUPTED');
  });
});

describe('a budget', () => {
  test('without end gives about the size that no budget gives', async () => {
    const built = buildImage({ layers: [text, other, small] });
    const goal = { kind: 'size', effort: 'small' } as const;
    const free = await rewrite(built, [tune(all, { goal, format: 'zstd' })]);
    const spent = await rewrite(built, [tune(all, { goal, format: 'zstd', budget: 1e6 })]);
    const [use] = spent.outcome.budgets;
    expect(use?.budget).toBe(1e6);
    expect((use?.estimated ?? 1e9) + (use?.spent ?? 1e9)).toBeLessThan(1e6);
    const size = ({ tree }: Rewritten) =>
      imageIn(tree).manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
    // Level 19 is not always the smallest of all for layers as small as these.
    expect(size(spent)).toBeLessThanOrEqual(size(free) * 1.005);
  });

  test('of almost nothing: each layer gets the cheapest option', async () => {
    const built = buildImage({ layers: [text, other], compress: ['gzip', 'zstd'] });
    const goal = { kind: 'size', effort: 'small' } as const;
    const kept = await rewrite(built, [tune(all, { goal, budget: 1e-9 })]);
    expect(digestsOf(kept.tree)).toEqual(digestsOf(built));
    expect(tuningsOf(kept).map(({ options }) => options.length)).toEqual([2, 2]);
    const changed = await rewrite(built, [tune(all, { goal, budget: 1e-9, format: 'zstd' })]);
    expect(tuningsOf(changed).map(({ chosen }) => chosen.encoding)).toEqual([
      { kind: 'zstd', level: 3 },
      null,
    ]);
  });

  test('goes no further than the goal', async () => {
    const built = buildImage({ layers: [text] });
    const goal = { kind: 'size', effort: 'fast' } as const;
    const tuned = await rewrite(built, [tune(all, { goal, budget: 1e6 })]);
    expect(tuningsOf(tuned)[0]?.options.map(({ encoding }) => encoding)).toEqual([
      null,
      { kind: 'gzip', level: 3, engine: 'libdeflate' },
      { kind: 'gzip', level: 5, engine: 'libdeflate' },
    ]);
  });

  test('packs plain layers as gzip where no format is named', async () => {
    const built = buildImage({ layers: [text], compress: 'none' });
    const goal = { kind: 'size', effort: 'small' } as const;
    for (const budget of [null, 1e6]) {
      const tuned = await rewrite(built, [tune(all, { goal, budget })]);
      expect(tuned.outcome.encodings).toEqual([{ kind: 'gzip', level: 10, engine: 'libdeflate' }]);
    }
  });
});

test('a layer that would shrink by less than the threshold keeps its blob', async () => {
  const built = buildImage({ layers: [text] });
  const options = { goal: slow, minSavings: { kind: 'ratio', ratio: 0.9 } } as const;
  expect(digestsOf((await rewrite(built, [tune(all, options)])).tree)).toEqual(digestsOf(built));
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
  '%d is neither a bandwidth nor a budget',
  (amount) => {
    expect(() => tune(all, { goal: pull(amount) })).toThrow(/a bandwidth must be above 0/);
    expect(() => tune(all, { goal: slow, budget: amount })).toThrow(/a budget must be above 0/);
  },
);

describe('the report', () => {
  test('states the chosen levels and the reasons', async () => {
    const built = buildImage({ layers: [text, small] });
    const tuned = await rewrite(built, [tune(all, { goal: pull(12_500_000) })]);
    const report = reportOf(tuned);
    expect(reportSchema.parse(report)).toEqual(report);
    const [first] = report.platforms[0]?.layers ?? [];
    expect(first?.tuning).toMatchObject({ goal: 'pull at 100 Mbit/s', tarBytes: text.length });
    const cost = (first?.tuning?.options ?? []).map(({ pullSeconds }) => pullSeconds ?? Number.NaN);
    expect(first?.tuning?.chosen.pullSeconds).toBeLessThanOrEqual(Math.min(...cost) * 1.006 + 0.001);
    expect(renderSummary(report)).toMatch(
      /tuned: pull at 100 Mbit\/s\n {4}layer 1: zstd \d+ \(\d+ ms; zstd \d+ \d+ ms; gzip \d+ \d+ ms; as it is \d+ ms\)/,
    );
    const markdown = renderMarkdown(report);
    expect(markdown).toContain('### Tuned: pull at 100 Mbit/s');
    expect(markdown).toMatch(
      /```yaml\nversion: 1\nrecompress:\n {2}- \{ layers: '1', compression: zstd, level: \d+ \}/,
    );
  });

  test('states how a budget was spent', async () => {
    const built = buildImage({ layers: [text, other], compress: 'none' });
    const goal = { kind: 'size', effort: 'small' } as const;
    const report = reportOf(
      await rewrite(built, [tune(all, { goal, budget: 60, format: 'gzip', engine: 'zlib' })]),
    );
    expect(reportSchema.parse(report)).toEqual(report);
    expect(renderSummary(report)).toMatch(
      /tuned: small\n {4}layer 1: gzip \d by zlib \([\d.]+ kB after \d+ ms of processor time/,
    );
    expect(renderSummary(report)).toMatch(
      /\nbudget of 60\.0 s: [\d.]+ m?s of trials, then an estimated [\d.]+ m?s of encoding\n/,
    );
    expect(renderMarkdown(report)).toMatch(/gzipEngine: zlib \}[\s\S]*Budget of 60\.0 s: /);
    expect(report.budgets).toMatchObject([{ seconds: 60 }]);
  });

  test('does not mention tuning if the levels are given', async () => {
    const built = buildImage({ layers: [text] });
    const report = reportOf(await rewrite(built, [tune(all, { goal: { kind: 'size', effort: 'small' } })]));
    expect(report.platforms[0]?.layers[0]).not.toHaveProperty('tuning');
    expect(report).not.toHaveProperty('budgets');
    expect(renderSummary(report)).not.toContain('tuned');
  });
});
