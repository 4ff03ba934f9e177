import { expect, it } from 'vitest';
import type { FilePart } from '../../../src/rootfs/facts/file-part.ts';
import { componentProbe, componentsOf } from '../../../src/rootfs/packages/component-index.ts';
import { packageProbe, packagesOf } from '../../../src/rootfs/packages/package-index.ts';
import { p } from '../../support/bytes.ts';
import { rawImageOf } from './rig.ts';
import { file, hardLink, imageOf } from '../../closure/rig.ts';

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

it('lists what files are made of, each module of Go once, and no file twice; packages stay as they are', async () => {
  const part = (kind: FilePart['kind'], name: string, version: string, inside: string | null): FilePart => ({
    kind,
    name,
    version,
    inside,
    licences: ['MIT'],
    supplier: null,
  });
  const image = await imageOf({
    'app/a.jar': {
      ...file(9),
      parts: [part('java', 'g:a', '1', null), part('java', 'g:b', '2', 'lib/b.jar')],
    },
    'app/z.jar': hardLink('app/a.jar'),
    'bin/one': {
      ...file(5),
      parts: [part('go', 'x.example/one', 'v1', null), part('go', 'y.example/y', 'v2', 'y.example/y')],
    },
    'bin/two': {
      ...file(5),
      parts: [part('go', 'y.example/y', 'v2', 'y.example/y'), part('go', 'y.example/y', 'v3', 'y.example/y')],
    },
  });
  const { components } = componentsOf(image);
  expect(
    components.map(
      ({ kind, name, version, files, details }) =>
        `${kind} ${name} ${version} ${files.join(' ')} ${details.inside}`,
    ),
  ).toEqual([
    'java g:a 1 app/a.jar null',
    'java g:b 2 app/a.jar lib/b.jar',
    'go x.example/one v1 bin/one null',
    'go y.example/y v2 bin/one bin/two y.example/y',
    'go y.example/y v3 bin/two y.example/y',
  ]);
  expect(components[0]?.details.licences).toEqual(['MIT']);
  // The closure keeps packages whole: an archive that became one would keep more than it did.
  expect(packagesOf(image).packages).toEqual([]);
});

it('lists packages that a manifest alone tells of, once, with the package of the distribution that brought them', async () => {
  const site = 'usr/lib/python3/dist-packages';
  const image = await rawImageOf({
    'var/lib/dpkg/info/python3-six.list': `/${site}/six-1.egg-info\n`,
    'var/lib/dpkg/info/npm.list': '/usr/share/nodejs/acorn/package.json\n',
    [`${site}/six-1.egg-info`]: 'Name: six\nVersion: 1.16\nLicense: MIT\n',
    [`${site}/attr-2.dist-info/METADATA`]: 'Name: attrs\nVersion: 2\n',
    [`${site}/nameless-3.dist-info/METADATA`]: 'Version: 3\n',
    'opt/lib/wheel-4.dist-info/RECORD': 'wheel.py,,\nwheel-4.dist-info/METADATA,,\n',
    'opt/lib/wheel-4.dist-info/METADATA': 'Name: wheel\nVersion: 4\n',
    'opt/lib/wheel.py': 'x',
    'srv/tool.egg-info/PKG-INFO': 'Name: tool\nVersion: 5\n',
    'usr/share/nodejs/acorn/package.json': '{"name":"acorn","version":"8","license":"MIT"}',
    'app/package.json': '{"name":"@me/app","version":"1","author":"A"}',
    'app/lib/package.json': '{"type":"module"}',
    'app/node_modules/a/package.json': '{"name":"a","version":"2"}',
    'app/node_modules/a/test/package.json': '{"name":"fixture","version":"3"}',
    'usr/local/lib/ruby/gems/3.3.0/specifications/default/json-2.7.1.gemspec': 'x',
    'usr/local/lib/ruby/gems/3.3.0/specifications/default/odd.gemspec': 'x',
  });
  expect(
    componentsOf(image)
      .components.filter(({ kind }) => kind !== 'dpkg')
      .map(({ kind, name, version, details: { owner } }) => `${kind} ${name} ${version} ${owner}`),
  ).toEqual([
    'node @me/app 1 null',
    'node a 2 null',
    'node acorn 8 npm',
    'python attrs 2 null',
    'python six 1.16 python3-six',
    'python tool 5 null',
    'python wheel 4 null',
    'ruby json 2.7.1 null',
  ]);
});
