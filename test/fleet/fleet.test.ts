import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chooseImages,
  FleetTally,
  formatImageRow,
  type ImageRow,
  isServiceTag,
  nameBelow,
  parseFleetList,
  parseFleetSource,
} from '../../src/fleet/index.ts';
import type { Digest } from '../../src/oci/digest.ts';

const digest = (n: number) => `sha256:${n.toString(16).padStart(2, '0').repeat(32)}` as Digest;

describe('a source', () => {
  test.each([
    ['registry.example', { kind: 'registry', host: 'registry.example' }],
    ['localhost', { kind: 'registry', host: 'localhost' }],
    ['localhost:5000', { kind: 'registry', host: 'localhost:5000' }],
    ['docker://registry.example:443/', { kind: 'registry', host: 'registry.example:443' }],
    ['registry.example/team', { kind: 'below', host: 'registry.example', name: 'team', itself: true }],
    ['registry.example/team/', { kind: 'below', host: 'registry.example', name: 'team', itself: false }],
    ['localhost:5000/a/b', { kind: 'below', host: 'localhost:5000', name: 'a/b', itself: true }],
    ['alpine', { kind: 'below', name: 'library/alpine', itself: true }],
    ['registry.example/a:1', { kind: 'image', repository: 'a', tag: '1', digest: null }],
    [`registry.example/a@${digest(1)}`, { kind: 'image', repository: 'a', tag: null, digest: digest(1) }],
  ])('is read: %s', (text, expected) => {
    expect(parseFleetSource(text)).toMatchObject({ ...expected, label: text });
  });

  test.each(['oci:folder', 'docker-archive:x.tar', 'registry.example/UPPER', ''])(
    'is refused: %j',
    (text) => {
      expect(() => parseFleetSource(text)).toThrow();
    },
  );

  test('gives names below it', () => {
    const [team, below, all] = ['r.example/team', 'r.example/team/', 'r.example'].map(parseFleetSource);
    const names = ['team', 'team/api', 'teams', 'other/team'];
    const named = (source = team) => names.map((name) => source && nameBelow(source, name));
    expect(named(team)).toEqual(['', 'api', null, null]);
    expect(named(below)).toEqual([null, 'api', null, null]);
    expect(named(all)).toEqual(names);
  });

  test('stands on a line of a list, and a wrong one is told with its line', () => {
    const text = '# ours\n\nr.example/a\r\n  r.example/b:1  \n';
    expect(parseFleetList(text, 'list').map(({ label }) => label)).toEqual(['r.example/a', 'r.example/b:1']);
    expect(() => parseFleetList('r.example/a\n\noci:x', 'list')).toThrow(
      /^list line 3: "oci:x" is not in a registry/,
    );
  });
});

test('tags of programs are told from those of people', () => {
  const hex = 'a'.repeat(64);
  expect([`sha256-${hex}`, `sha256-${hex}.sig`, `sha256-${hex}.att`].filter(isServiceTag)).toHaveLength(3);
  expect(['sha256-abc', 'latest', `sha256-${hex}x`, `v-sha256-${hex}`].filter(isServiceTag)).toEqual([]);
});

describe('the newest images', () => {
  const image = (created: number | null, ...tags: readonly string[]) => ({ created, tags });

  test('are told by their times, then by the numbers in their tags; those without a time come last', () => {
    const images = [
      image(null, 'x'),
      image(5, '1.9'),
      image(5, '1.10', 'a'),
      image(7, '0'),
      image(null, 'y'),
    ];
    const order = chooseImages(images, { newest: null, since: null }).map(({ tags }) => tags[0]);
    expect(order).toEqual(['0', '1.10', '1.9', 'y', 'x']);
    expect(chooseImages(images, { newest: 2, since: null }).map(({ tags }) => tags[0])).toEqual([
      '0',
      '1.10',
    ]);
    expect(chooseImages(images, { newest: 9, since: 6 }).map(({ tags }) => tags[0])).toEqual(['0']);
  });

  test('are the same in whatever order the registry lists them', () => {
    const images = fc.uniqueArray(
      fc.record({
        created: fc.option(fc.integer({ min: 0, max: 3 })),
        tags: fc.uniqueArray(fc.constantFrom('a', 'A', '1', '01', '1.2', '1.10'), {
          minLength: 1,
          maxLength: 2,
        }),
      }),
      { selector: ({ tags }) => tags.join() },
    );
    fc.assert(
      fc.property(images, fc.nat(4), (given, newest) => {
        const wish = { newest: newest + 1, since: null };
        const chosen = chooseImages(given, wish);
        const tags = given.map((each) => each.tags.toSorted().join());
        // Tags are unique in a repository.
        fc.pre(
          new Set(given.flatMap((each) => each.tags)).size === given.flatMap((each) => each.tags).length,
        );
        expect(chooseImages(given.toReversed(), wish)).toEqual(chosen);
        expect(chosen.every((each) => tags.includes(each.tags.toSorted().join()))).toBe(true);
        expect(chosen).toHaveLength(Math.min(given.length, newest + 1));
      }),
    );
  });
});

describe('rows', () => {
  const row = (
    repository: string,
    tags: readonly string[],
    layers: readonly (readonly [number, number])[],
  ): ImageRow => ({
    repository,
    digest: digest(9),
    tags,
    created: Date.parse('2026-01-02T03:04:05Z'),
    platforms: ['linux/amd64'],
    layers: layers.map(([n, size]) => ({ digest: digest(n), size })),
  });

  test('are lines of JSON', () => {
    expect(
      formatImageRow(
        row(
          'r.example/a',
          ['1'],
          [
            [1, 10],
            [2, 5],
          ],
        ),
      ),
    ).toBe(
      `{"image":"r.example/a@${digest(9)}","tags":["1"],"created":"2026-01-02T03:04:05.000Z","platforms":["linux/amd64"],"size":15,"layers":[{"digest":"${digest(1)}","size":10},{"digest":"${digest(2)}","size":5}]}\n`,
    );
  });

  test('are counted with each layer once', () => {
    const tally = new FleetTally();
    tally.add(
      row(
        'r.example/a',
        ['1', 'latest'],
        [
          [1, 10],
          [2, 5],
        ],
      ),
    );
    tally.add(
      row(
        'r.example/b',
        [],
        [
          [1, 10],
          [3, 7],
        ],
      ),
    );
    tally.add(row('r.example/b', ['x'], [[1, 10]]));
    expect(tally.totals).toEqual({
      images: 3,
      tags: 3,
      repositories: 2,
      references: 5,
      layers: 3,
      namedBytes: 42,
      bytes: 22,
    });
  });
});
