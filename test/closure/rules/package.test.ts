import { describe, expect, it } from 'vitest';
import { closeOver } from '../../../src/closure/closure.ts';
import { explain } from '../../../src/closure/explain.ts';
import type { ClosureRule } from '../../../src/closure/rule.ts';
import { packageRule } from '../../../src/closure/rules/package.ts';
import { elf, inputOf, kept, script, symlink, type Table, wanting } from '../rig.ts';
import { p, b } from '../../support/bytes.ts';

const zip: Table = {
  'var/lib/dpkg/info/zip.list': [
    '/usr/bin/zip',
    '/usr/lib/zip/helper',
    '/usr/share/zip/data',
    '/usr/share/doc/zip/copyright',
    '/usr/share/man/man1/zip.1.gz',
    '/usr/share/locale/de/LC_MESSAGES/zip.mo',
    '/usr/lib/x86_64/libzip.so',
  ].join('\n'),
  'var/lib/dpkg/info/libc6.list': '/usr/lib/libc.so.6\n/usr/lib/ld.so\n/usr/lib/gconv/A.so\n',
  'usr/bin/zip': elf(),
  'usr/lib/zip/helper': script('/bin/sh'),
  'usr/share/zip/data': 'x',
  'usr/share/doc/zip/copyright': 'x',
  'usr/share/man/man1/zip.1.gz': 'x',
  'usr/share/locale/de/LC_MESSAGES/zip.mo': 'x',
  'usr/lib/libc.so.6': elf(),
  'usr/lib/ld.so': 'x',
  'usr/lib/gconv/A.so': elf(),
  'usr/local/bin/mine': elf(),
  'usr/lib/x86_64/libzip.so': symlink('../libc.so.6'),
};

/** As a linked library would be: what helper needs. */
const linking: ClosureRule = {
  name: 'linking',
  describe: 'For the test.',
  *follow(path) {
    if (path === 'usr/lib/zip/helper') yield { path: b('usr/local/bin/mine'), detail: b('helps') };
    if (path === 'usr/local/bin/mine') yield { path: b('usr/lib/libc.so.6'), detail: b('linked') };
  },
};

const whole = [
  'usr/bin/zip',
  'usr/lib/libc.so.6',
  'usr/lib/x86_64/libzip.so',
  'usr/lib/zip/helper',
  'usr/local/bin/mine',
  'usr/share/locale/de/LC_MESSAGES/zip.mo',
  'usr/share/zip/data',
];

describe('granularity package', () => {
  it('keeps a package without its documentation, and what it needs, but no further packages', async () => {
    const setting = { image: zip, granularity: 'package' } as const;
    expect(await kept(setting, [wanting('usr/bin/zip'), packageRule, linking])).toEqual(whole);
    const used = { ...setting, trace: { 'usr/share/zip/data': 'open' } };
    expect(await kept(used, [packageRule, linking, wanting('usr/share/zip/data')])).toEqual(whole);
  });

  it('applies to programs, libraries and used files, but not to files that something may look for', async () => {
    const setting = { image: zip, granularity: 'package' } as const;
    expect(await kept(setting, [packageRule, linking, wanting('usr/share/zip/data')])).toEqual([
      'usr/share/zip/data',
    ]);
    expect(await kept(setting, [packageRule, linking, wanting('usr/lib/zip/helper')])).toEqual(
      [...whole, 'usr/lib/ld.so'].sort(),
    );
  });

  it('spreads from a link that leads to a program', async () => {
    const image: Table = {
      'var/lib/dpkg/info/minimal.list': '/usr/bin/python3\n/usr/bin/py3compile\n/usr/share/cert.pem\n',
      'usr/bin/python3': symlink('python3.11'),
      'usr/bin/python3.11': elf(),
      'usr/bin/py3compile': 'x',
      'usr/share/cert.pem': symlink('/etc/cert.pem'),
      'etc/cert.pem': 'x',
    };
    const setting = { image, granularity: 'package', trace: { 'etc/cert.pem': 'open' } } as const;
    expect(await kept(setting, [wanting('usr/share/cert.pem'), packageRule])).toEqual([
      'etc/cert.pem',
      'usr/share/cert.pem',
    ]);
    expect(await kept(setting, [wanting('usr/bin/python3'), packageRule])).toEqual([
      'etc/cert.pem',
      'usr/bin/py3compile',
      'usr/bin/python3',
      'usr/bin/python3.11',
      'usr/share/cert.pem',
    ]);
  });

  it('applies to files that turn out to be needed later', async () => {
    // libc is first kept as what a whole package links to, then needed by itself.
    const late: ClosureRule = {
      name: 'late',
      describe: 'For the test.',
      *settle(context) {
        if (context.isKept(p('usr/lib/libc.so.6'))) yield { path: b('usr/lib/libc.so.6'), detail: b('late') };
      },
    };
    expect(
      await kept({ image: zip, granularity: 'package' }, [
        wanting('usr/bin/zip'),
        packageRule,
        linking,
        late,
      ]),
    ).toEqual([...whole, 'usr/lib/ld.so'].sort());
  });

  it('does not apply with granularity file', async () => {
    const setting = { image: zip, granularity: 'file' } as const;
    expect(await kept(setting, [wanting('usr/bin/zip'), packageRule])).toEqual(['usr/bin/zip']);
  });

  it('applies with granularity directory', async () => {
    const [some, more] = await Promise.all(
      (['package', 'directory'] as const).map((granularity) =>
        kept({ image: zip, granularity }, [wanting('usr/bin/zip'), packageRule]),
      ),
    );
    expect(more).toEqual(some);
  });

  it('keeps nothing for a file that belongs to no package', async () => {
    expect(
      await kept({ image: zip, granularity: 'package' }, [wanting('usr/local/bin/mine'), packageRule]),
    ).toEqual(['usr/local/bin/mine']);
  });

  it('does not spread from directories, nor from links to them', async () => {
    const image: Table = {
      'var/lib/dpkg/info/base-files.list': '/lib\n/etc/issue\n/var/empty\n/etc/rc\n',
      lib: symlink('usr/lib'),
      'usr/lib/x': 'x',
      'var/empty/': '',
      'etc/issue': 'x',
      'etc/rc': symlink('issue'),
    };
    const setting = { image, granularity: 'package' } as const;
    expect(await kept(setting, [wanting('lib/x', 'var/empty'), packageRule])).toEqual(['lib', 'usr/lib/x']);
    const used = { ...setting, trace: { 'etc/issue': 'open' } };
    expect(await kept(used, [wanting('etc/rc'), packageRule])).toEqual(['etc/issue', 'etc/rc', 'lib']);
  });

  it('leaves converters of character sets to their rule', async () => {
    const setting = { image: zip, granularity: 'package' } as const;
    expect(await kept(setting, [wanting('usr/lib/libc.so.6'), packageRule])).toEqual([
      'usr/lib/ld.so',
      'usr/lib/libc.so.6',
    ]);
    expect(await kept(setting, [wanting('usr/lib/gconv/A.so'), packageRule])).toEqual([
      'usr/lib/gconv/A.so',
      'usr/lib/ld.so',
      'usr/lib/libc.so.6',
    ]);
  });

  it('keeps all time zones if one was used, but not for the target of etc/localtime', async () => {
    const image: Table = {
      'var/lib/dpkg/info/tzdata.list': '/usr/share/zoneinfo/UTC\n/usr/share/zoneinfo/Europe/Oslo\n',
      'usr/share/zoneinfo/UTC': 'x',
      'usr/share/zoneinfo/Europe/Oslo': 'x',
      'etc/localtime': symlink('/usr/share/zoneinfo/UTC'),
    };
    const rules = [wanting('etc/localtime'), packageRule];
    expect(await kept({ image, granularity: 'package', trace: {} }, rules)).toEqual([
      'etc/localtime',
      'usr/share/zoneinfo/UTC',
    ]);
    expect(await kept({ image, granularity: 'package', trace: { 'etc/localtime': 'open' } }, rules)).toEqual([
      'etc/localtime',
      'usr/share/zoneinfo/Europe/Oslo',
      'usr/share/zoneinfo/UTC',
    ]);
  });

  it('names the package in the reason', async () => {
    const input = await inputOf({ image: zip, granularity: 'package' });
    expect(
      explain(closeOver(input, [wanting('usr/bin/zip'), packageRule]), p('usr/share/zip/data')).join('\n'),
    ).toContain('belongs to the dpkg package zip');
  });
});

describe('granularity package, of languages', () => {
  it('keeps the Node package without those nested in it, and not the Debian package around it', async () => {
    const at = 'usr/share/nodejs/node_modules';
    const image: Table = {
      'var/lib/dpkg/info/npm.list': `/usr/bin/npm\n/${at}/glob/index.js\n/${at}/glob/package.json\n/${at}/glob/README.md\n`,
      'usr/bin/npm': 'x',
      [`${at}/glob/index.js`]: 'x',
      [`${at}/glob/package.json`]: '{}',
      [`${at}/glob/README.md`]: 'x',
      [`${at}/glob/CHANGELOG`]: 'x',
      [`${at}/glob/README.js`]: 'x',
      [`${at}/glob/LICENSE.md`]: 'x',
      [`${at}/glob/docs/readme.md`]: 'x',
      [`${at}/glob/test/a.js`]: 'x',
      [`${at}/glob/node_modules/inner/package.json`]: '{}',
    };
    expect(
      await kept({ image, granularity: 'package' }, [wanting(`${at}/glob/index.js`), packageRule]),
    ).toEqual(
      ['LICENSE.md', 'README.js', 'docs/readme.md', 'index.js', 'package.json', 'test/a.js'].map(
        (name) => `${at}/glob/${name}`,
      ),
    );
  });

  it('keeps only the used files of the application itself', async () => {
    const image: Table = { 'app/package.json': '{}', 'app/index.js': 'x', 'app/other.js': 'x' };
    expect(await kept({ image, granularity: 'package' }, [wanting('app/index.js'), packageRule])).toEqual([
      'app/index.js',
    ]);
  });

  describe('for a file that Python distributions share', () => {
    const site = 'usr/local/lib/python3.12/site-packages';
    const a = ['a-1.dist-info/RECORD', 'ns/a.py', 'ns/tests/x.py'];
    const b = ['b-1.dist-info/RECORD', 'ns/b.py', 'ns/b2.py', 'ns/b3.py'];
    const image: Table = Object.fromEntries(
      ['ns/__init__.py', ...a, ...b].map((name) => [`${site}/${name}`, 'x']),
    );
    const record = (names: readonly string[]): string =>
      ['ns/__init__.py', ...names].map((name) => `${name},,\n`).join('');
    const setting = {
      image: {
        ...image,
        [`${site}/a-1.dist-info/RECORD`]: record(a),
        [`${site}/b-1.dist-info/RECORD`]: record(b),
      },
      granularity: 'package',
    } as const;
    const namesIn = (paths: readonly string[]): string[] => paths.map((path) => path.slice(site.length + 1));

    it('keeps the distributions of which other files were used', async () => {
      const rules = [wanting(`${site}/ns/__init__.py`, `${site}/ns/b.py`), packageRule];
      expect(namesIn(await kept(setting, rules))).toEqual([...b, 'ns/__init__.py'].sort());
    });

    it('keeps the smallest distribution if no other file was used', async () => {
      const rules = [wanting(`${site}/ns/__init__.py`), packageRule];
      expect(namesIn(await kept(setting, rules))).toEqual([...a, 'ns/__init__.py'].sort());
    });
  });
});
