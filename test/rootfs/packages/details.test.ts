import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { apk } from '../../../src/rootfs/packages/apk.ts';
import { composer } from '../../../src/rootfs/packages/composer.ts';
import { conda } from '../../../src/rootfs/packages/conda.ts';
import { dpkg } from '../../../src/rootfs/packages/dpkg.ts';
import { node } from '../../../src/rootfs/packages/node.ts';
import { noDetails, type PackageDatabase } from '../../../src/rootfs/packages/package.ts';
import { python } from '../../../src/rootfs/packages/python.ts';
import { rpm } from '../../../src/rootfs/packages/rpm.ts';
import { ruby } from '../../../src/rootfs/packages/ruby.ts';
import { type Files, rawImageOf } from './rig.ts';

/** Returns the details of the packages that a database has, by name. Members that no database told are left out. */
async function details(database: PackageDatabase, files: Files): Promise<Record<string, object>> {
  const { fs, facts } = await rawImageOf(files);
  const told = (each: object) =>
    Object.fromEntries(
      Object.entries(each).filter(
        ([member, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(noDetails, member)),
      ),
    );
  return Object.fromEntries(
    database
      .read(fs, facts)
      .packages.map(({ name, version, details: found }) => [`${name}@${version}`, told(found)]),
  );
}

describe('what a database tells of a package', () => {
  it('dpkg: architecture, source, maintainer; removed packages, and those whose list is gone', async () => {
    const status = [
      'Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nSource: openssl (3.0-1)\nVersion: 3.0-1+b1\nMaintainer: Caf\u00c3\u00a9 <a@b.example>\n',
      'Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nSource: goner\nVersion: 2\n',
      'Package: libz1\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 4\n',
    ].join('\n');
    expect(
      await details(dpkg, {
        'var/lib/dpkg/status': status,
        'var/lib/dpkg/info/libssl3:amd64.list':
          '/.\n/usr\n/usr/lib\n/usr/lib/a\n/usr/lib/gone\n/usr/lost\n/usr/lost/b\n/usr/share/doc/a\n/usr/share/doc/a/x\n/usr/share/locale/de/x\n',
        'var/lib/dpkg/info/gone.list': '/etc/gone\n',
        'usr/lib/a': 'x',
      }),
    ).toEqual({
      'libssl3:amd64@3.0-1+b1': {
        registryName: 'libssl3',
        architecture: 'amd64',
        source: { name: 'openssl', version: '3.0-1' },
        supplier: 'Caf\u00e9 <a@b.example>',
        missing: 2,
      },
      'gone@2': {
        architecture: 'all',
        source: { name: 'goner', version: null },
        missing: 1,
        isInstalled: false,
      },
      'libz1:amd64@4': { registryName: 'libz1', architecture: 'amd64' },
    });
  });

  it('apk: architecture, origin, licence, maintainer', async () => {
    expect(
      await details(apk, {
        'lib/apk/db/installed':
          'P:libcurl\nV:8-r1\nA:aarch64\nL:curl AND MIT\no:curl\nm:A B <a@b.example>\nF:usr/lib\nR:libcurl.so\n\nP:musl\nV:1\no:musl\n',
      }),
    ).toEqual({
      'libcurl@8-r1': {
        architecture: 'aarch64',
        source: { name: 'curl', version: null },
        licences: ['curl AND MIT'],
        supplier: 'A B <a@b.example>',
        missing: 1,
      },
      'musl@1': {},
    });
  });

  it('rpm: architecture, source package, licence, as rpm wrote them', async () => {
    const database = gunzipSync(
      readFileSync(new URL('../../../fixtures/rpm/rpmdb.sqlite.gz', import.meta.url)),
    );
    const found = await details(rpm, { 'var/lib/rpm/rpmdb.sqlite': database });
    expect(found['parcel@1:1.2-3']).toEqual({
      architecture: 'x86_64',
      source: { name: 'parcel', version: '1.2-3' },
      licences: ['MIT'],
      missing: 2,
    });
    expect(found['parcel-piece1.i686@1:1.2-3']).toMatchObject({
      registryName: 'parcel-piece1',
      architecture: 'i686',
    });
  });

  it('Python: name, licence, author; compiled files may be missing', async () => {
    const site = 'usr/local/lib/python3/site-packages';
    expect(
      await details(python, {
        [`${site}/ruamel_yaml-0.18.dist-info/RECORD`]: 'a.py,,\ngone.py,,\n__pycache__/a.cpython-313.pyc,,\n',
        [`${site}/ruamel_yaml-0.18.dist-info/METADATA`]:
          'Metadata-Version: 2.1\nName: ruamel.yaml\nVersion: 0.18\nLicense: MIT license\nAuthor: A\nAuthor-email: a@b.example\n\nLicense: not a header\n',
        [`${site}/b-1.dist-info/RECORD`]: 'b.py,,\n',
        [`${site}/b-1.dist-info/METADATA`]:
          'Name: b\r\nLicense-Expression: MIT OR Apache-2.0\r\nLicense: MIT\r\n',
        [`${site}/c-1.dist-info/RECORD`]: 'c.py,,\n',
        [`${site}/c-1.dist-info/METADATA`]: `Name: c\nLicense: ${'all of the text '.repeat(20)}\nClassifier: License :: OSI Approved :: BSD License\nClassifier: Topic :: X\n`,
        'srv/tool.egg-info/PKG-INFO': 'Name: tool\nVersion: 3\nLicense: UNKNOWN\n',
        [`${site}/a.py`]: 'x',
        [`${site}/b.py`]: 'x',
        [`${site}/c.py`]: 'x',
      }),
    ).toEqual({
      'ruamel_yaml@0.18': {
        registryName: 'ruamel.yaml',
        licences: ['MIT license'],
        supplier: 'A',
        missing: 1,
      },
      'b@1': { licences: ['MIT OR Apache-2.0'] },
      'c@1': { licences: ['BSD License'] },
      'tool@3': {},
    });
  });

  it('Node: the name behind an alias, licence and author in their old forms and new', async () => {
    const manifests: Record<string, unknown> = {
      alias: { name: 'real', version: '1', license: 'MIT', author: 'A <a@b.example>' },
      old: {
        name: 'old',
        version: '2',
        licenses: [{ type: 'MIT' }, { type: 'BSD' }, { type: 'MIT' }],
        author: { name: 'B', email: 'b@c.example' },
      },
      odd: { name: 7, version: '3', license: 7, author: [] },
    };
    expect(
      await details(
        node,
        Object.fromEntries(
          Object.entries(manifests).map(([name, json]) => [
            `app/node_modules/${name}/package.json`,
            JSON.stringify(json),
          ]),
        ),
      ),
    ).toEqual({
      'alias@1': { registryName: 'real', licences: ['MIT'], supplier: 'A <a@b.example>' },
      'old@2': { licences: ['MIT', 'BSD'], supplier: 'B <b@c.example>' },
      'odd@3': {},
    });
  });

  it('Ruby: licences and the first author of the specification, and the platform', async () => {
    const home = 'usr/lib/ruby/gems/3.3.0';
    expect(
      await details(ruby, {
        [`${home}/specifications/nokogiri-1.16.0-x86_64-linux-gnu.gemspec`]:
          'Gem::Specification.new do |s|\n  s.name = "nokogiri".freeze\n  s.authors = ["M D".freeze, "A P".freeze]\n  s.licenses = ["MIT".freeze, "Ruby".freeze]\nend\n',
        [`${home}/specifications/plain-1.gemspec`]: 'x',
      }),
    ).toEqual({
      'nokogiri@1.16.0': {
        licences: ['MIT', 'Ruby'],
        supplier: 'M D',
        qualifiers: { platform: 'x86_64-linux-gnu' },
      },
      'plain@1': {},
    });
  });

  it('Composer and conda: licences, authors, channels', async () => {
    expect(
      await details(composer, {
        'vendor/composer/installed.json': JSON.stringify({
          packages: [{ name: 'a/b', version: 'v1', license: ['MIT'], authors: [{ name: 'C' }] }],
        }),
        'vendor/a/b/composer.json': '{}',
      }),
    ).toEqual({ 'a/b@v1': { licences: ['MIT'], supplier: 'C' } });
    expect(
      await details(conda, {
        'opt/conda-meta/a.json': JSON.stringify({
          name: 'zlib',
          version: '1',
          build: 'h0',
          subdir: 'linux-64',
          channel: 'main',
          fn: 'zlib-1-h0.conda',
          license: 'Zlib',
          files: ['lib/gone'],
        }),
      }),
    ).toEqual({
      'zlib@1': {
        licences: ['Zlib'],
        qualifiers: { build: 'h0', channel: 'main', subdir: 'linux-64', type: 'conda' },
        missing: 1,
      },
    });
  });
});
