import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { file, hardLink, symlink, type Table, type Thing } from '../closure/rig.ts';
import { runs } from '../support/extent.ts';
import { divide } from './rig.ts';

const MiB = 1024 * 1024;

const stanza = (name: string, source = ''): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n${source === '' ? '' : `Source: ${source}\n`}\n`;

const debian: Table = {
  'var/lib/dpkg/status': stanza('libssl3', 'openssl (3.0)') + stanza('openssl') + stanza('curl'),
  'var/lib/dpkg/info/libssl3:amd64.list': '/usr/lib/libssl.so.3\n',
  'var/lib/dpkg/info/openssl.list': '/usr/bin/openssl\n',
  'var/lib/dpkg/info/openssl.md5sums': 'x',
  'var/lib/dpkg/info/curl.list': '/usr/bin/curl\n',
  'usr/lib/libssl.so.3': '1',
  'usr/bin/openssl': '1',
  'usr/bin/curl': '1',
};

describe('a component', () => {
  it('has the packages of one source, with what the database keeps of each', async () => {
    const { paths } = await divide([debian]);
    expect(paths).toEqual({
      'dpkg:curl': ['usr/bin/curl', 'var/lib/dpkg/info/curl.list'],
      'dpkg:openssl': [
        'usr/bin/openssl',
        'usr/lib/libssl.so.3',
        'var/lib/dpkg/info/libssl3:amd64.list',
        'var/lib/dpkg/info/openssl.list',
        'var/lib/dpkg/info/openssl.md5sums',
      ],
      volatile: ['var/lib/dpkg/status'],
    });
  });

  it('is a distribution of Python, with compiled modules that no list names', async () => {
    const site = 'usr/local/lib/python3.11/site-packages';
    const { paths } = await divide([
      {
        [`${site}/Flask_Login-1.dist-info/RECORD`]: 'flask_login/a.py,,\nFlask_Login-1.dist-info/RECORD,,\n',
        [`${site}/flask_login/a.py`]: '1',
        [`${site}/flask_login/__pycache__/a.cpython-311.pyc`]: '1',
      },
    ]);
    expect(paths).toEqual({
      'python:flask-login': [`${site}/flask_login/__pycache__/a.cpython-311.pyc`, `${site}/flask_login/a.py`],
      volatile: [`${site}/Flask_Login-1.dist-info/RECORD`],
    });
  });

  it('is a large package of Node, or all others of its directory', async () => {
    const { paths } = await divide([
      {
        'app/node_modules/big/package.json': '{}',
        'app/node_modules/big/x': file(2 * MiB),
        'app/node_modules/@a/b/package.json': '{}',
        'app/node_modules/@a/b/node_modules/c/package.json': '{}',
        'app/node_modules/.bin/b': symlink('../@a/b'),
        'app/node_modules/.package-lock.json': '{}',
      },
    ]);
    expect(paths).toEqual({
      'node:/app/node_modules': [
        'app/node_modules/.bin/b',
        'app/node_modules/@a/b/node_modules/c/package.json',
        'app/node_modules/@a/b/package.json',
      ],
      'node:/app/node_modules/big': ['app/node_modules/big/package.json', 'app/node_modules/big/x'],
      volatile: ['app/node_modules/.package-lock.json'],
    });
  });

  it('is a large file that no package has, or an archive of Java without its version', async () => {
    const { paths } = await divide([
      {
        'models/a.bin': file(2 * MiB),
        'opt/app/lib/core-1.2.jar': file(2 * MiB),
        'opt/app/lib/a-1.jar': '1',
        'opt/app/lib/b-1.jar': '1',
      },
    ]);
    expect(paths).toEqual({
      'big:/models/a.bin': ['models/a.bin'],
      'java:/opt/app/lib': ['opt/app/lib/a-1.jar', 'opt/app/lib/b-1.jar'],
      'java:/opt/app/lib/core.jar': ['opt/app/lib/core-1.2.jar'],
    });
  });

  it('is a tree that one layer put there; what is small or shared is the rest', async () => {
    const { paths } = await divide([
      { 'etc/a': '1', 'srv/mixed/a': file(200_000), 'usr/bin/tool': '1' },
      { 'app/a': file(100_000), 'app/b/c': '1', 'srv/mixed/b': file(200_000), 'opt/tiny/a': '1' },
    ]);
    expect(paths).toEqual({
      'tree:/app': ['app/a', 'app/b/c'],
      rest: ['etc/a', 'opt/tiny/a', 'srv/mixed/a', 'srv/mixed/b', 'usr/bin/tool'],
    });
  });

  it('is a tree of the previous version, whatever layers its files are in', async () => {
    const known = new Set(['tree:/app', 'tree:/srv/a b 1/2', 'tree:/gone', 'tree:/../x', 'tree:/\0', 'rest']);
    const layers = [
      { 'app/a': file(50_000), 'srv/a b/c': file(70_000) },
      { 'app/b': file(50_000), 'opt/new/a': file(100_000) },
    ];
    expect(Object.keys((await divide(layers, { known })).paths).toSorted()).toEqual([
      'tree:/app',
      'tree:/opt/new',
      'tree:/srv/a b',
    ]);
    expect(Object.keys((await divide(layers, { known, byLayer: false })).paths).toSorted()).toEqual([
      'rest',
      'tree:/app',
      'tree:/srv/a b',
    ]);
  });

  it('has the same files again, once they lie in other layers', async () => {
    const table = { 'app/a/x': file(80_000), 'app/b/x': file(80_000), 'srv/y/z': file(80_000), 'etc/z': '1' };
    const { 'app/a/x': first, ...others } = table;
    const { paths } = await divide([{ 'app/a/x': first, 'etc/z': '1' }, others]);
    expect(Object.keys(paths)).toContain('tree:/app/a');
    const again = await divide([others, { 'app/a/x': first }], {
      known: new Set(Object.keys(paths)),
      byLayer: false,
    });
    expect(again.paths).toEqual(paths);
  });

  it('is what the user names, before everything else', async () => {
    const groups = [{ name: 'tls', matches: (path: string) => path.includes('ssl') }];
    const { paths } = await divide([debian], { groups });
    expect(paths['group:tls']).toContain('usr/lib/libssl.so.3');
    expect(paths['dpkg:openssl']).toBeUndefined();
  });

  it('is what the file names in an attribute', async () => {
    const attributes = { xattrs: { 'user.component': 'models' } };
    const { paths } = await divide([
      { 'opt/a': file(1, attributes), 'usr/b': file(1, attributes), 'usr/c': '1' },
    ]);
    expect(paths).toEqual({ 'named:models': ['opt/a', 'usr/b'], rest: ['usr/c'] });
  });

  it('has nothing of the base, and no directory but empty ones', async () => {
    const layers = [
      { 'etc/a': '1', 'etc/b': '1' },
      { 'etc/b': '2', 'var/empty/x/': '', 'var/': '' },
    ];
    expect((await divide(layers, {}, 1)).paths).toEqual({ rest: ['etc/b', 'var/empty/x'] });
  });

  it('by path is a directory that programs do not share', async () => {
    const { paths } = await divide(
      [{ 'usr/lib/python3/a/b': '1', 'usr/lib/python3/c': '1', 'usr/bin/d': file(2 * MiB) }],
      {
        by: 'path',
      },
    );
    expect(paths).toEqual({
      'path:/usr/lib/python3': ['usr/lib/python3/a/b', 'usr/lib/python3/c'],
      'path:/usr/bin': ['usr/bin/d'],
    });
  });

  it('by size is a large file, or one of a fixed number of parts', async () => {
    const { paths } = await divide([{ 'usr/bin/a': file(2 * MiB), 'usr/bin/b': '1' }], { by: 'size' });
    expect(Object.keys(paths)).toEqual(['big:/usr/bin/a', expect.stringMatching(/^files:[0-9a-f]{2}$/)]);
  });

  it('that is too large for a layer is several', async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`app/${i}`, file(20_000)]));
    const { components } = await divide([{ ...many, 'app/x': file(150_000) }], { maxLayer: 200_000 });
    expect(components.length).toBeGreaterThan(4);
    for (const { bytes } of components) expect(bytes).toBeLessThanOrEqual(200_000);
    expect(components.find(({ name }) => name === 'tree:/app //app/x')).toBeUndefined();
    expect(components.find(({ name }) => name === 'tree:/app /app/x')?.files).toBe(1);
  });
});

const places = ['app', 'usr/bin', 'usr/lib/x', 'var/cache', 'srv/a/b'];
const sizes = [0, 10, 70_000, 1_200_000];

/** Layers of files and hard links. */
const stacks = fc.array(
  fc.uniqueArray(
    fc.record({
      place: fc.constantFrom(...places),
      name: fc.constantFrom('a', 'b', 'c', 'd.jar'),
      size: fc.constantFrom(...sizes),
      link: fc.boolean(),
    }),
    { selector: ({ place, name }) => `${place}/${name}`, minLength: 1, maxLength: 10 },
  ),
  { minLength: 1, maxLength: 3 },
);

describe('the components of an image', () => {
  it('have each file once, with all of its names, in any division', async () => {
    await fc.assert(
      fc.asyncProperty(
        stacks,
        fc.constantFrom('package', 'path', 'size'),
        fc.option(fc.constantFrom(100_000, 2_000_000)),
        async (stack, by, maxLayer) => {
          const groups = new Map<string, number>();
          const layers = stack.map((entries, layer) => {
            const table: Record<string, Thing | string> = {};
            let first: string | null = null;
            for (const { place, name, size, link } of entries) {
              const path = `${place}/${name}`;
              const target: string | null = link ? first : null;
              table[path] = target === null ? file(size) : hardLink(target);
              groups.set(
                path,
                target === null ? layer * 100 + Object.keys(table).length : (groups.get(target) ?? -1),
              );
              if (target === null) first = path;
            }
            return table;
          });
          const { paths, components } = await divide(layers, { by, maxLayer });
          const all = Object.values(paths).flat();
          expect(all.toSorted()).toEqual([...groups.keys()].toSorted());
          const home = new Map(
            Object.entries(paths).flatMap(([name, own]) => own.map((path) => [path, name] as const)),
          );
          const byGroup = Map.groupBy(all, (path) => groups.get(path));
          for (const names of byGroup.values())
            expect(new Set(names.map((path) => home.get(path))).size).toBe(1);
          expect(components.map(({ name }) => name)).toEqual(Object.keys(paths).toSorted());
          expect(components.reduce((sum, { files }) => sum + files, 0)).toBe(all.length);
        },
      ),
      { numRuns: runs(50, 500) },
    );
  });
});
