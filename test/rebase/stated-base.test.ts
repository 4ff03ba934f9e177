import { describe, expect, test } from 'vitest';
import type { BaseNames } from '../../src/image/image.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { isBelow, statedBases, withTrueBase, writeBase } from '../../src/rebase/stated-base.ts';
import { imageOf } from '../laws/rig.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((letter) => `sha256:${letter.repeat(64)}` as Digest) as [
  Digest,
  Digest,
  Digest,
  Digest,
];
const name = 'org.opencontainers.image.base.name';
const digest = 'org.opencontainers.image.base.digest';
const metadata = 'io.buildpacks.lifecycle.metadata';
const names: BaseNames = {
  from: { name: 'r.example/base:1', digest: a, root: b },
  to: { name: 'r.example/base:2', digest: c, root: d },
};

describe('what an image states of its base', () => {
  const labelled = (labels: Readonly<Record<string, string>>) => imageOf([], { config: { Labels: labels } });

  test('is read from annotations before labels, each base once', () => {
    const image = labelled({ [name]: 'r.example/labelled:1', [digest]: a });
    const rows = [
      { annotations: { [name]: 'r.example/row:1' }, where: 'the row' },
      { annotations: { [name]: 'r.example/row:1' }, where: 'the index' },
      { annotations: undefined, where: 'nothing' },
      { annotations: { [digest]: 'sha256:short' }, where: 'damage' },
    ];
    expect(statedBases(image, rows)).toEqual([
      { name: 'r.example/row:1', digest: null, where: 'the row' },
      { name: 'r.example/labelled:1', digest: a, where: 'its labels' },
    ]);
  });

  test.each([
    [`{"runImage":{"reference":"r.example/run@${a}","image":"r.example/run:full"}}`, 'r.example/run', a],
    [`{"runImage":{"reference":"${a}"}}`, null, a],
    ['{"runImage":{"image":"r.example/run:full"}}', 'r.example/run:full', null],
  ])('is read from what buildpacks write: %s', (label, stated, of) => {
    expect(statedBases(labelled({ [metadata]: label }), [])).toMatchObject([{ name: stated, digest: of }]);
  });

  test.each(['', 'no JSON', '[]', '{"runImage":1}', '{"runImage":{}}'])('is nothing in %j', (label) => {
    expect(statedBases(labelled({ [metadata]: label }), [])).toEqual([]);
  });
});

describe('annotations', () => {
  test('name the new base, where they name one or are asked to; others stay', () => {
    expect(writeBase({ x: '1', [digest]: a, [name]: 'r.example/base:1' }, names)).toEqual({
      x: '1',
      [digest]: c,
      [name]: 'r.example/base:2',
    });
    expect(writeBase({ x: '1' }, names)).toEqual({ x: '1' });
    expect(writeBase({ [digest]: a }, names)).toEqual({ [digest]: c });
    expect(writeBase(undefined, names, 'always')).toEqual({ [digest]: c, [name]: 'r.example/base:2' });
  });

  test('that had the digest of an index get that of the new one', () => {
    expect(writeBase({ [digest]: b }, names)).toEqual({ [digest]: d });
  });

  test('that are true already stay the same object', () => {
    const notes = { [digest]: c, [name]: 'another.example/name' };
    expect(writeBase(notes, names)).toBe(notes);
  });

  test('have no name that only this machine could read', () => {
    const local = { ...names, to: { ...names.to, name: null } };
    expect(writeBase({ [digest]: a, [name]: 'r.example/base:1' }, local)).toEqual({ [digest]: c });
  });
});

test('labels name the new base where they named one, and the run image of buildpacks has its top layer', () => {
  const to = imageOf([new Uint8Array(1024), new Uint8Array(2048)]);
  const before = { runImage: { topLayer: 'old', reference: `r.example/base@${a}`, image: 'kept' }, app: [] };
  const json = { config: { Labels: { [digest]: a, [metadata]: JSON.stringify(before), own: '1' } } };
  const labels = (withTrueBase(json, { names, to })['config'] as { Labels: Record<string, string> }).Labels;
  expect(labels).toMatchObject({ [digest]: c, own: '1' });
  expect(JSON.parse(labels[metadata] as string)).toEqual({
    runImage: { topLayer: to.config.diffIds[1], reference: `r.example/base@${c}`, image: 'kept' },
    app: [],
  });
  const plain = { config: { Labels: { own: '1' } } };
  expect(withTrueBase(plain, { names, to })).toBe(plain);
});

test('a base is below an image if its DiffIDs are the lowest ones', () => {
  const [one, two, three] = [1, 2, 3].map((size) => new Uint8Array(1024 * size)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const image = imageOf([one, two, three]);
  expect([[], [one], [one, two], [one, two, three]].map((tars) => isBelow(imageOf(tars), image))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([[two], [one, three], [one, two, three, one]].map((tars) => isBelow(imageOf(tars), image))).toEqual([
    false,
    false,
    false,
  ]);
});
