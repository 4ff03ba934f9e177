import { describe, expect, it } from 'vitest';
import { buildPackageIndex, packageProbe, packagesOf } from '../../../src/rootfs/packages/package-index.ts';
import { imageOf } from './rig.ts';
import { p } from '../../support/bytes.ts';

const files = {
  'var/lib/dpkg/info/npm.list':
    '/usr/share/nodejs/node_modules/glob/index.js\n/usr/share/nodejs/node_modules/glob/package.json\n/usr/bin/npm\n/etc/shared\n',
  'var/lib/dpkg/info/small.list': '/etc/shared\n',
  'usr/share/nodejs/node_modules/glob/index.js': 'x',
  'usr/share/nodejs/node_modules/glob/package.json': '{"version":"1"}',
  'usr/bin/npm': 'x',
  'etc/shared': 'x',
  'etc/mine': 'x',
} as const;

describe('the owners of a file', () => {
  it('are sorted by how specific they are: a language before the system, few files before many', async () => {
    const { fs, facts } = await imageOf(files);
    const index = buildPackageIndex(fs, facts);
    const owners = (path: string): string[] =>
      index.ownersOf(p(path)).map(({ kind, name }) => `${kind} ${name}`);
    expect(owners('usr/share/nodejs/node_modules/glob/index.js')).toEqual(['node glob', 'dpkg npm']);
    expect(owners('etc/shared')).toEqual(['dpkg small', 'dpkg npm']);
    expect(owners('usr/bin/npm')).toEqual(['dpkg npm']);
    expect(owners('etc/mine')).toEqual([]);
    expect(owners('usr')).toEqual([]);
  });

  it('are read once for an image', async () => {
    const image = await imageOf(files);
    expect(packagesOf(image)).toBe(packagesOf({ ...image }));
    expect(packagesOf(image)).not.toBe(packagesOf(await imageOf(files)));
  });
});

it('the databases need the contents of no other file', () => {
  for (const path of [
    'etc/passwd',
    'var/lib/dpkg/status-old',
    'var/lib/dpkg/info/a.md5sums',
    'opt/var/lib/dpkg/status',
    'var/lib/rpm/Name',
    'lib/apk/db/scripts.tar',
    'a/x.dist-info/METADATA',
    'app/package.json',
  ])
    expect(packageProbe(p(path))).toBe(0);
});
