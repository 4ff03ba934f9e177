import { expect, it } from 'vitest';
import { componentProbe, componentsOf } from '../../../src/rootfs/packages/component-index.ts';
import { packageProbe } from '../../../src/rootfs/packages/package-index.ts';
import { p } from '../../support/bytes.ts';
import { rawImageOf } from './rig.ts';

it('lists the packages of all databases in one order, without those that were removed', async () => {
  const image = await rawImageOf({
    'etc/os-release': 'ID=debian\nVERSION_ID=12\n',
    'var/lib/dpkg/status':
      'Package: b\nStatus: install ok installed\nVersion: 1\n\nPackage: a\nStatus: deinstall ok config-files\nVersion: 1\n',
    'var/lib/dpkg/info/b.list': '/b\n',
    'var/lib/dpkg/info/a.list': '/etc/a\n',
    'node_modules/z/package.json': '{"version":"2"}',
    'x/node_modules/y/package.json': '{"version":"2"}',
    'x/node_modules/z/package.json': '{"version":"1"}',
  });
  const { components, distribution } = componentsOf(image);
  expect(components.map(({ kind, name, version }) => `${kind} ${name} ${version}`)).toEqual([
    'node y 2',
    'node z 1',
    'node z 2',
    'dpkg b 1',
  ]);
  expect(distribution).toMatchObject({ id: 'debian', version: '12' });
});

it.each([
  'usr/lib/python3.11/site-packages/a-1.dist-info/METADATA',
  'opt/a.egg-info/PKG-INFO',
  'usr/lib/ruby/gems/3.3.0/specifications/a-1.gemspec',
  'usr/lib/os-release',
])('%s is read for its details, which the closure does not need', (path) => {
  expect(componentProbe(p(path))).toBeGreaterThan(0);
  expect(packageProbe(p(path))).toBe(0);
});

it('reads what the closure reads, and no other files', () => {
  expect(componentProbe(p('var/lib/dpkg/status'))).toBe(packageProbe(p('var/lib/dpkg/status')));
  expect(componentProbe(p('usr/share/a.gemspec'))).toBe(0);
});
