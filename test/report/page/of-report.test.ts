import { describe, expect, test } from 'vitest';
import { pageOfReport } from '../../../src/report/page/of-report.ts';
import type { PackedFiles } from '../../../src/report/page/packed-files.ts';
import type { Report } from '../../../src/report/report.ts';
import { expectHarmless, nasty } from '../../support/hostile-text.ts';
import { sample } from '../sample.ts';
import { textsIn } from './texts.ts';

const files: PackedFiles = {
  fates: [
    { group: 'kept', name: 'kept', why: '', before: true, after: true },
    { group: 'hidden', name: 'hidden, still there', why: '', before: true, after: true },
  ],
  before: { files: 90, bytes: 900_000_000 },
  after: { files: 30, bytes: 300_000_000 },
  fateBytes: [250_000_000, 50_000_000],
  rounded: false,
  text: '',
};

/** Puts a hostile text behind every text that comes from an image or a user. */
function hostile<T>(value: T, key = ''): T {
  const own = [
    'reference',
    'createdBy',
    'rule',
    'origin',
    'path',
    'message',
    'trace',
    'from',
    'library',
    'user',
  ];
  if (typeof value === 'string') return (own.includes(key) ? `${value} ${nasty}` : value) as T;
  if (Array.isArray(value)) return value.map((member) => hostile<unknown>(member, key)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, hostile(member, name)]),
  ) as T;
}

describe('the page of a report', () => {
  const page = pageOfReport(sample, [files]);
  const [image] = page.images;

  test('begins with sizes, the time of a pull, files and layers', () => {
    const figures = Object.fromEntries((image?.figures ?? []).map(({ label, ...rest }) => [label, rest]));
    const { sizeBefore, sizeAfter } = sample.platforms[0]?.compressing ?? { sizeBefore: 0, sizeAfter: 0 };
    expect(figures['Transfer size']).toMatchObject({ before: sizeBefore, after: sizeAfter });
    expect(figures['Pull at 100 Mbit/s']?.before).toBeCloseTo(sizeBefore / 12_500_000);
    expect(figures['Contents']).toMatchObject({ before: 900_000_000, after: 300_000_000 });
    expect(figures['Files in layers']).toMatchObject({ before: 90, after: 30 });
    expect(figures['Layers']).toMatchObject({ before: 6, after: 3 });
  });

  test('says nothing of files that were not collected', () => {
    const [without] = pageOfReport(sample, []).images;
    expect(without?.files).toBeNull();
    expect(without?.figures.map(({ label }) => label)).toEqual([
      'Transfer size',
      'Pull at 100 Mbit/s',
      'Layers',
    ]);
  });

  test('proposes a command for what is still hidden, on the result', () => {
    expect(image?.actions.find(({ bytes }) => bytes === 50_000_000)?.command).toBe(
      'ocislim prune registry.example/app:slim registry.example/app:slim-slim --shadowed',
    );
  });

  test('proposes nothing without a command for findings that no option removes', () => {
    const findings = [
      { kind: 'copies' as const, library: 'libz.so.1', files: 2, bytes: 300_000, option: null, places: [] },
      { kind: 'pip-cache' as const, files: 9, bytes: 900_000, option: "--rule 'root/a b/**'", places: [] },
    ];
    const platforms = sample.platforms.map((platform) => ({ ...platform, findings }));
    const [first] = pageOfReport({ ...sample, platforms }, []).images;
    expect(first?.actions.map(({ what, command }) => [what, command])).toEqual([
      [
        'The cache of pip, 9 files.',
        "ocislim prune registry.example/app:slim registry.example/app:slim-slim --rule 'root/a b/**'",
      ],
      ['libz.so.1 is there twice; --trace keeps the copies that are used.', null],
    ]);
  });

  test('says that a dry run wrote nothing', () => {
    const dry: Report = { ...sample, dryRun: true, destination: null };
    expect(pageOfReport(dry, []).remark).toMatch(/^Dry run: nothing was written; /);
    expect(pageOfReport(dry, []).title).toBe('registry.example/app:v1');
  });

  test('has the instructions of all source layers for its legend', () => {
    expect(image?.files?.layers).toHaveLength(6);
    expect(image?.files?.layers[2]).toBe('COPY /app /app');
  });

  test('has no text that acts on a terminal or a CI log, whatever the report holds', () => {
    const texts = [...textsIn(pageOfReport(hostile(sample), [files]))];
    for (const text of texts) expectHarmless(text, text);
    expect(texts.filter((text) => text.includes('mark')).length).toBeGreaterThan(20);
  });
});
