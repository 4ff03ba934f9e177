import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pageOfReport } from '../../../src/report/page/of-report.ts';
import type { PackedFiles } from '../../../src/report/page/packed-files.ts';
import type { Report } from '../../../src/report/report.ts';
import { reportRecording } from '../../../src/report/build/recording.ts';
import { expectHarmless, nasty } from '../../support/hostile-text.ts';
import { getResult, recordingFacts, sampleFacts, serverRun } from '../../support/recording-facts.ts';
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

  test('shows changes of the config, second manifests, artifacts and statements where they belong', () => {
    const digest = (letter: string): `sha256:${string}` => `sha256:${letter.repeat(64)}`;
    const [first] = sample.platforms;
    const about = (platform: string | null, fate: 'left' | 'dropped') => ({
      kind: 'sbom' as const,
      artifactType: 'application/spdx+json',
      predicateTypes: platform === null ? [`https://spdx.dev/${nasty}`] : [],
      digest: digest('c'),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: 7,
      foundBy: 'subject' as const,
      tags: [],
      subject: digest('d'),
      platform,
      fate,
    });
    const stated = (predicateType: string, subject: `sha256:${string}`) =>
      ({ predicateType, subject, isAttached: true, manifest: digest('e') }) as const;
    const two = [
      {
        ...first,
        platform: 'linux/amd64',
        digest: digest('a'),
        configuring: { changes: [{ member: `config.Env.${nasty}`, before: null, after: `"${nasty}"` }] },
      },
      { ...first, platform: 'linux/arm64', digest: digest('b') },
    ] as Report['platforms'];
    const { images } = pageOfReport(
      {
        ...sample,
        platforms: two,
        variants: [{ platform: 'linux/amd64', digest: digest('f'), size: 9 }],
        referrers: [about(null, 'left'), about('linux/arm64', 'dropped')],
        attestations: {
          key: { kind: 'Ed25519', hint: 'aGludA==' },
          statements: [
            stated('https://slsa.dev/provenance/v1', digest('0')),
            stated('https://ocislim.example/equivalence/v1', digest('b')),
          ],
        },
      },
      [null, null],
    );
    const rows = (i: number, title: string) =>
      images[i]?.tables.find((table) => table.title === title)?.rows ?? [];
    for (const text of textsIn(images)) expectHarmless(text, text);
    expect(rows(0, 'Changes of the config')[0]?.[1]).toBe('absent');
    expect(rows(1, 'Changes of the config')).toEqual([]);
    expect([0, 1].map((i) => rows(i, 'The same image in zstd'))).toEqual([[[digest('f'), 9]], []]);
    const artifacts = 'Signatures, attestations and SBOMs of the source';
    expect([0, 1].map((i) => rows(i, artifacts).map(([, , , platform, fate]) => [platform, fate]))).toEqual([
      [['the whole', 'stays with the source']],
      [
        ['the whole', 'stays with the source'],
        ['linux/arm64', 'left out: its image changed'],
      ],
    ]);
    const statements = [0, 1].map((i) => rows(i, 'Signed and stated of the result').map(([kind]) => kind));
    expect(statements).toEqual([['provenance'], ['provenance', 'equivalence']]);
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

describe('the page of a recording', () => {
  const [first] = sample.platforms;
  if (first === undefined) throw new Error('the sample has changed');
  const recorded = (facts: Partial<typeof sampleFacts>, ...others: readonly string[]) =>
    pageOfReport(
      {
        ...sample,
        platforms: [first, ...others.map((platform) => ({ ...first, platform }))],
        recording: reportRecording({ ...sampleFacts, ...facts }, true),
      },
      [],
    );

  test('has the verdict at its top, and the answers with the image that ran', () => {
    const { remark, images } = recorded({}, 'linux/arm64', 'linux/s390x');
    expect(remark).toBe('Recorded: ran twice and was asked 5 things; the pruned image answers the same.');
    const [ran, alike, other] = images.map(({ tried }) => tried);
    expect(ran).toMatchObject({
      result: 'same',
      verdict: 'Ran twice and was asked 5 things; the pruned image answers the same.',
    });
    expect(ran?.facts).toContainEqual(['Not tried', 'linux/arm64, pruned by the same paths']);
    expect(ran?.tables.map(({ title, rows }) => [title, rows[0], rows.length])).toEqual([
      ['Probes', ['GET http://:80/', '200, 600 B', 'the same', 0.02, 0.02], 6],
      ['Repairs', ['GET http://:80/: expected 200, 600 bytes; found 500, 200 bytes', 'differed', 1], 3],
    ]);
    expect(alike).toEqual({
      result: 'untried',
      verdict: 'Pruned by the paths that linux/amd64 used, and not tried.',
      facts: [],
      tables: [],
    });
    expect(other).toBeNull();
  });

  test('is about the only image, however its platform is written', () => {
    expect(recorded({ platform: 'linux/amd64/v2' }).images[0]?.tried?.result).toBe('same');
  });

  test('tells what was not tried from what differs', () => {
    const result = (trials: typeof sampleFacts.trials) => recorded({ trials }).images[0]?.tried?.result;
    expect(result([])).toBe('untried');
    expect(result(sampleFacts.trials.slice(0, 1))).toBe('different');
  });

  test('has the first thousand of many probes, and says so', () => {
    const run = serverRun(Array.from({ length: 1234 }, (_, i) => getResult(`/${i}`, i)));
    const [probes] = recorded({ originals: [run, run], trials: [] }).images[0]?.tried?.tables ?? [];
    expect(probes?.rows).toHaveLength(1000);
    expect(probes?.note).toBe('The first 1,000 of 1,234; the JSON report has all.');
  });

  test('has no text that acts on a terminal or a CI log, or is long, whatever the facts are', () => {
    const property = fc.property(recordingFacts, (facts) => {
      const losses = [...facts.losses, nasty.repeat(1000)];
      const page = recorded({ ...facts, losses, command: [...facts.command, nasty.repeat(1000)] });
      for (const text of textsIn(page.images[0]?.tried)) {
        expectHarmless(text, text);
        expect(text.length).toBeLessThan(4000);
      }
    });
    fc.assert(property);
  });
});
