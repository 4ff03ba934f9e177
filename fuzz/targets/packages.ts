/** The target of package databases. Whatever they hold, the index is built without an error, in bounded time. */
import { componentsOf } from '../../src/rootfs/packages/component-index.ts';
import { buildPackageIndex } from '../../src/rootfs/packages/package-index.ts';
import { purlOf } from '../../src/rootfs/packages/purl.ts';
import { imageOfInput, joinFiles } from '../files.ts';
import { jsonMutators } from '../json-mutators.ts';
import { flood } from '../mutate.ts';
import { holds, neverThrows, type Target } from '../target.ts';
import { KiB } from '../../src/units.ts';

const files = { 'bin/sh': 'x', 'usr/share/doc/a/copyright': 'x', 'usr/lib/libz.so.1': 'x' };

export const target: Target = {
  name: 'packages',
  invariant:
    'package databases are read without a throw, name no file that is not in the image, and give sound package URLs',
  seeds: () =>
    [
      {
        'var/lib/dpkg/status':
          'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\nDepends: b\n\nPackage: b\nStatus: install ok installed\nMulti-Arch: same\nArchitecture: amd64\nVersion: 2',
        'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
        'var/lib/dpkg/info/a.list': '/.\n/bin\n/bin/sh\n/usr/share/doc/a/copyright',
        'var/lib/dpkg/info/b:amd64.list': '/usr/lib/libz.so.1\n/lib',
        'var/lib/dpkg/diversions': '/bin/sh\n/bin/sh.distrib\na',
        'var/lib/dpkg/status.d/c': 'Package: c\nVersion: 3\n',
        'var/lib/dpkg/status.d/c.md5sums': '0123456789abcdef0123456789abcdef  bin/sh',
      },
      {
        'lib/apk/db/installed':
          'C:Q1aaaa=\nP:musl\nV:1.2\nA:x86_64\nF:lib\nR:ld-musl-x86_64.so.1\nF:bin\nR:sh\nZ:Q1x\n\nP:busybox\nV:1\nF:usr/lib\nM:0:0:1777\nR:libz.so.1\n',
      },
      {
        'usr/lib/python3/dist-packages/x-1.dist-info/METADATA':
          'Metadata-Version: 2.1\nName: x\nVersion: 1\nRequires-Dist: y (>=1) ; extra == "z"\n\nbody',
        'usr/lib/python3/dist-packages/x-1.dist-info/RECORD':
          'x/__init__.py,sha256=a,3\n"x/a,b.py",,\n../../../bin/sh,,\n',
        'usr/lib/python3/dist-packages/x/__init__.py': 'x',
        'usr/lib/python3/dist-packages/y.egg-info/installed-files.txt': '../y/a.py\nPKG-INFO',
        'usr/lib/python3/dist-packages/y.egg-info/top_level.txt': 'y\n',
        'usr/lib/python3/dist-packages/y.egg-info/SOURCES.txt': 'y/a.py',
        'usr/lib/python3/dist-packages/y/a.py': 'x',
      },
      {
        'app/node_modules/a/package.json': '{"name":"a","version":"1.0.0","main":"index.js"}',
        'app/node_modules/a/index.js': 'x',
        'app/node_modules/@s/b/package.json': '{"name":"@s/b","version":"2","license":"MIT"}',
        'env/conda-meta/history': '',
        'env/conda-meta/zlib-1-0.json':
          '{"name":"zlib","version":"1","build":"0","files":["lib/libz.so","../bin/sh"]}',
        'env/lib/libz.so': 'x',
        'vendor/composer/installed.json':
          '{"packages":[{"name":"a/b","version":"1","install-path":"../a/b"}]}',
        'vendor/a/b/composer.json': '{"name":"a/b"}',
        'usr/lib/ruby/gems/3.1.0/specifications/rake-13.gemspec': 'Gem::Specification.new',
        'usr/lib/ruby/gems/3.1.0/gems/rake-13/lib/rake.rb': 'x',
      },
    ].map((each) => joinFiles({ ...files, ...each })),
  dictionary: [
    '@@ ',
    ' -> ',
    '../',
    '/',
    '..',
    '\n',
    '\n\n',
    'P:',
    'F:',
    'R:',
    'Package: ',
    ',',
    '"',
    '\0',
    '\xff',
    'var/lib/dpkg/info/',
    'node_modules/',
    '.egg-info/',
    '.dist-info/',
    '  ',
  ],
  mutators: [...jsonMutators, flood],
  maxBytes: 64 * KiB,
  run: async (bytes) => {
    const { fs, facts } = await imageOfInput(bytes);
    const index = neverThrows('buildPackageIndex', () => buildPackageIndex(fs, facts));
    for (const each of index.packages)
      for (const path of each.files) {
        holds(
          fs.kind(path) !== null && fs.kind(path) !== 'directory',
          'a package with a file that is not in the image',
        );
        holds(index.ownersOf(path).includes(each), 'a file that its package does not own');
      }
    const { components, distribution } = neverThrows('componentsOf', () => componentsOf({ fs, facts }));
    for (const each of components) {
      const purl = neverThrows('purlOf', () => purlOf(each, distribution));
      holds(purl === null || /^pkg:[a-z]+\/[!-~]+$/.test(purl), 'a package URL with more than ASCII');
    }
  },
};
