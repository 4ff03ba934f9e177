import { describe, expect, it, test } from 'vitest';
import { treeOf, unpackagedRule } from '../../../src/closure/rules/unpackaged.ts';
import { kept, type Table, wanting } from '../rig.ts';
import { p } from '../../support/bytes.ts';

test.each([
  ['app/views/a.html', 'app'],
  ['app/main', 'app'],
  ['server', null],
  ['opt/app/bin/x', 'opt/app'],
  ['opt/x', null],
  ['srv/www/index.html', 'srv/www'],
  ['var/www/html/index.php', 'var/www'],
  ['var/lib/app/x', null],
  ['home/user/app/x', 'home/user/app'],
  ['home/user/.profile', null],
  ['root/app/x', 'root/app'],
  ['usr/src/app/index.js', 'usr/src/app'],
  ['usr/local/lib/python3.12/csv.py', 'usr/local/lib/python3.12'],
  ['usr/local/lib/libx.so', null],
  ['usr/local/bin/x', null],
  ['usr/lib/x/y', null],
  ['etc/app/x', null],
])('%s was copied with the tree %s', (path, tree) => {
  expect(treeOf(p(path))).toBe(tree);
});

describe('files in no package', () => {
  const image: Table = {
    'var/lib/dpkg/info/tool.list': '/opt/app/tool\n',
    'app/node_modules/used/package.json': '{"name":"used"}',
    'app/node_modules/used/index.js': 'x',
    'app/node_modules/other/package.json': '{"name":"other"}',
    'app/node_modules/other/index.js': 'x',
    'app/main.js': 'x',
    'app/views/error.html': 'x',
    'opt/app/tool': 'x',
    'opt/app/own': 'x',
    'opt/else/x': 'x',
    'usr/local/bin/x': 'x',
  };

  it.each(['package', 'directory'] as const)('stay together with granularity %s', async (granularity) => {
    expect(await kept({ image, granularity }, [wanting('app/main.js'), unpackagedRule])).toEqual([
      'app/main.js',
      'app/views/error.html',
    ]);
  });

  it('do not stay together with granularity file', async () => {
    const setting = { image, granularity: 'file' } as const;
    expect(await kept(setting, [wanting('app/main.js'), unpackagedRule])).toEqual(['app/main.js']);
  });

  it('do not stay for a package beside them', async () => {
    const setting = { image, granularity: 'package' } as const;
    expect(await kept(setting, [wanting('opt/app/tool', 'usr/local/bin/x'), unpackagedRule])).toEqual([
      'opt/app/tool',
      'usr/local/bin/x',
    ]);
    expect(await kept(setting, [wanting('opt/app/own'), unpackagedRule])).toEqual(['opt/app/own']);
  });
});
