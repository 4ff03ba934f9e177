import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildPackageIndex } from '../../../src/rootfs/packages/package-index.ts';
import { imageOf } from './rig.ts';

const fixture = (name: string): Uint8Array =>
  gunzipSync(readFileSync(new URL(`../../../fixtures/rpm/${name}`, import.meta.url)));
const databases = { 'rpmdb.sqlite': fixture('rpmdb.sqlite.gz'), Packages: fixture('Packages.gz') } as const;

/** Numbers that mean much in headers and pointers. */
const byte = fc.oneof(fc.constantFrom(0, 1, 2, 5, 7, 13, 0x7f, 0x80, 0xff), fc.nat(255));
const edits = fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), byte), {
  minLength: 1,
  maxLength: 40,
});

describe('whatever a database holds', () => {
  it.each(Object.entries(databases))(
    '%s: reading it ends, and gives only what is in the image',
    async (name, good) => {
      await fc.assert(
        fc.asyncProperty(edits, fc.boolean(), fc.option(fc.nat(good.length)), async (changes, early, cut) => {
          const bytes = Uint8Array.from(cut === null ? good : good.subarray(0, cut));
          // Half of them close to the start, where heads are.
          for (const [where, value] of changes)
            bytes[Math.floor(where * (early ? Math.min(bytes.length, 4096 * 3) : bytes.length))] = value;
          const { fs, facts } = await imageOf({ [`var/lib/rpm/${name}`]: bytes, 'usr/bin/parcel': 'x' });
          const { packages } = buildPackageIndex(fs, facts);
          for (const { files } of packages) for (const path of files) expect(fs.kind(path)).toBe('file');
        }),
        { numRuns: 150 },
      );
    },
  );

  const word = fc.constantFrom(
    '{"name":"a","files":["../a",1,"b",',
    '[{}]}',
    '/',
    '..',
    'a',
    'b c',
    '\n',
    '\n\n',
    ',',
    '"',
    'P:',
    'F:',
    'R:',
    'V:',
    'Package: ',
    ':',
    '\0',
    '\u00ff',
    '.',
    '\r',
    'x'.repeat(5000),
  );
  const text = fc.array(word, { maxLength: 40 }).map((words) => words.join(''));
  const places = [
    'var/lib/dpkg/status',
    'var/lib/dpkg/diversions',
    'var/lib/dpkg/info/a.list',
    'var/lib/dpkg/status.d/a',
    'var/lib/dpkg/status.d/a.md5sums',
    'lib/apk/db/installed',
    'var/lib/rpm/Packages.db',
    'a/x-1.dist-info/RECORD',
    'a/y.egg-info/installed-files.txt',
    'a/z.egg-info/SOURCES.txt',
    'a/z.egg-info/top_level.txt',
    'node_modules/a/package.json',
    'env/conda-meta/a.json',
    'vendor/composer/installed.json',
    'vendor/a/b/composer.json',
  ];

  it('its reading ends, and gives only files of the image', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: places.length, maxLength: places.length }),
        async (texts) => {
          const { fs, facts } = await imageOf(
            Object.fromEntries(places.map((place, i) => [place, texts[i] ?? ''])),
          );
          const index = buildPackageIndex(fs, facts);
          for (const each of index.packages)
            for (const path of each.files) {
              expect(fs.kind(path)).toBe('file');
              expect(index.ownersOf(path)).toContain(each);
            }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('many names for the same files take linear time', async () => {
    const many = 2_000;
    const eggs = Object.fromEntries(
      Array.from({ length: many }, (_, i) => [`opt/e${i}.egg-info/top_level.txt`, 'big\n']),
    );
    const big = Object.fromEntries(Array.from({ length: many }, (_, i) => [`opt/big/${i}`, 'x']));
    const { fs, facts } = await imageOf({ ...eggs, ...big });
    const { packages } = buildPackageIndex(fs, facts);
    const named = packages.reduce((sum, { files }) => sum + files.length, 0);
    expect(named).toBe(2 * many);
  });
});
