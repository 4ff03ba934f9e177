import { describe, expect, test } from 'vitest';
import { elfNeededRule } from '../../../src/closure/rules/elf-needed.ts';
import { writeLdCache } from '../../rootfs/facts/ld-cache-bytes.ts';
import { elf, kept, type Setting, symlink, type Table, type Thing, text, wanting } from '../rig.ts';
import { b } from '../../support/bytes.ts';

const glibc = '/lib64/ld-linux-x86-64.so.2';
const musl = '/lib/ld-musl-x86_64.so.1';

/** What an app that needs libx.so.1 brings, apart from itself. */
async function found(
  image: Table,
  { app = {}, ...rest }: { readonly app?: Parameters<typeof elf>[0] } & Omit<Setting, 'image'> = {},
): Promise<string[]> {
  const whole = {
    'opt/app/bin/app': elf({ needed: [b('libx.so.1')], interpreter: b(glibc), ...app }),
    ...image,
  };
  const stays = await kept({ image: whole, ...rest }, [wanting('opt/app/bin/app'), elfNeededRule]);
  return stays.filter((path) => path !== 'opt/app/bin/app');
}

function cache(...rows: Parameters<typeof writeLdCache>[0]): Thing {
  return text(Buffer.from(writeLdCache(rows)).toString('latin1'));
}

/** The same library everywhere that anybody looks. */
const everywhere: Table = {
  'rpath/libx.so.1': elf(),
  'env/libx.so.1': elf(),
  'runpath/libx.so.1': elf(),
  'cached/libx.so.1': elf(),
  'usr/lib/libx.so.1': elf(),
  'etc/ld.so.cache': cache({ name: 'libx.so.1', path: '/cached/libx.so.1' }),
};
const environment = { LD_LIBRARY_PATH: '/none:/env' };

describe('the search of glibc', () => {
  test.each([
    ['first in RPATH', { rpath: '/rpath' }, environment, 'rpath'],
    ['then in LD_LIBRARY_PATH', {}, environment, 'env'],
    ['there before RUNPATH', { runpath: '/runpath' }, environment, 'env'],
    ['not in RPATH where there is RUNPATH', { rpath: '/rpath', runpath: '/runpath' }, {}, 'runpath'],
    ['then in the cache', { runpath: '/none' }, {}, 'cached'],
  ])('looks %s', async (_, app, environment, expected) => {
    expect(await found(everywhere, { app, runtime: { environment } })).toEqual([`${expected}/libx.so.1`]);
  });

  test('ends with the default directories, those of the architecture first', async () => {
    const image = {
      'lib64/libx.so.1': elf(),
      lib: symlink('usr/lib'),
      'usr/lib/x86_64-linux-gnu/libx.so.1': symlink('libx.so.1.2'),
      'usr/lib/x86_64-linux-gnu/libx.so.1.2': elf(),
      'usr/lib/libx.so.1': elf(),
    };
    expect(await found(image)).toEqual([
      'lib',
      'usr/lib/x86_64-linux-gnu/libx.so.1',
      'usr/lib/x86_64-linux-gnu/libx.so.1.2',
    ]);
  });

  test('passes over files of another class, byte order or machine, and over files that are not ELF', async () => {
    const image = {
      'a/libx.so.1': elf({ bits: 32, machine: 3 }),
      'b/libx.so.1': elf({ machine: 183 }),
      'c/libx.so.1': elf({ endian: 'big' }),
      'd/libx.so.1': 'INPUT(-lx)',
      'e/libx.so.1': elf(),
    };
    expect(await found(image, { app: { runpath: b('/a:/b:/c:/d:/e') } })).toEqual(['e/libx.so.1']);
  });

  test('reads an ld.so.conf whose patterns could take exponential time', async () => {
    const stars = `${'*a'.repeat(40)}b`;
    const files = {
      'etc/ld.so.conf': `${'include ld.so.conf.d/*\n'.repeat(1000)}include ld.so.conf.d/${stars}\n`,
      [`etc/ld.so.conf.d/${'a'.repeat(250)}`]: `${'include ld.so.conf\n'.repeat(1000)}/opt/x\n`,
      'opt/x/libone.so': elf(),
    };
    expect(
      await kept({ image: { ...files, app: elf({ needed: [b('libone.so')] }) } }, [
        wanting('app'),
        elfNeededRule,
      ]),
    ).toEqual(['app', 'opt/x/libone.so']);
  });

  test('looks in the directories of ld.so.conf and its includes if there is no cache', async () => {
    const image = {
      'etc/ld.so.conf': '# comment\ninclude ld.so.conf.d/*.conf\ninclude /etc/ld.so.conf\n',
      'etc/ld.so.conf.d/a.conf': '/opt/x /opt/y # more\n',
      'etc/ld.so.conf.d/b.txt': '/usr/wrong\n',
      'opt/y/libx.so.1': elf(),
      'usr/wrong/libx.so.1': elf(),
      'usr/lib/libx.so.1': elf(),
    };
    expect(await found(image)).toEqual(['opt/y/libx.so.1']);
  });

  test('finds all variants for other processors', async () => {
    const image = {
      'usr/lib/glibc-hwcaps/x86-64-v2/libx.so.1': elf(),
      'usr/lib/glibc-hwcaps/x86-64-v3/libx.so.1': elf(),
      'usr/lib/glibc-hwcaps/x86-64-v3/liby.so.1': elf(),
      'usr/lib/libx.so.1': elf(),
    };
    const all = [
      'usr/lib/glibc-hwcaps/x86-64-v2/libx.so.1',
      'usr/lib/glibc-hwcaps/x86-64-v3/libx.so.1',
      'usr/lib/libx.so.1',
    ];
    expect(await found(image)).toEqual(all);
    const hwcap = 0x4000_0000_0000_0001n;
    const rows = all.map((path, i) => ({
      name: 'libx.so.1',
      path: `/${path}`,
      ...(i < 2 ? { hwcap } : {}),
    }));
    const cached = { ...image, 'opt/libx.so.1': elf() };
    const more = cache(...rows, { name: 'libx.so.1', path: '/opt/libx.so.1' });
    expect(await found({ ...cached, 'etc/ld.so.cache': more })).toEqual(all);
  });

  test('passes over rows of the cache whose files are missing', async () => {
    const rows = cache({ name: 'libx.so.1', path: '/gone/libx.so.1' });
    expect(await found({ 'etc/ld.so.cache': rows, 'lib/libx.so.1': elf() })).toEqual(['lib/libx.so.1']);
  });

  test('uses the RPATH of the program for the libraries of its libraries, but not its RUNPATH', async () => {
    const image = {
      'rpath/libx.so.1': elf({ needed: [b('liby.so.1')] }),
      'rpath/liby.so.1': elf(),
    };
    expect(await found(image, { app: { rpath: b('/rpath') } })).toEqual([
      'rpath/libx.so.1',
      'rpath/liby.so.1',
    ]);
    expect(await found(image, { app: { runpath: b('/rpath') } })).toEqual(['rpath/libx.so.1']);
    const own = { ...image, 'rpath/libx.so.1': elf({ needed: [b('liby.so.1')], runpath: b('/none') }) };
    expect(await found(own, { app: { rpath: b('/rpath') } })).toEqual(['rpath/libx.so.1']);
  });
});

describe('dynamic string tokens', () => {
  test.each([
    ['$ORIGIN/../lib', 'opt/app/lib/libx.so.1'],
    ['${ORIGIN}/../lib', 'opt/app/lib/libx.so.1'],
    ['/opt/$LIB', 'opt/lib64/libx.so.1'],
    ['/opt/${LIB}/plain', 'opt/lib/plain/libx.so.1'],
    ['/opt/$PLATFORM', 'opt/x86_64/libx.so.1'],
  ])('expand %s', async (runpath, path) => {
    expect(await found({ [path]: elf() }, { app: { runpath: b(runpath) } })).toEqual([path]);
  });

  test('$ORIGINAL is not a token, and a name with a slash is not searched for', async () => {
    expect(await found({ 'opt/app/binAL/libx.so.1': elf() }, { app: { runpath: b('$ORIGINAL') } })).toEqual(
      [],
    );
    const app = { needed: ['$ORIGIN/../libx.so.1', '/usr/libz.so', './lib/liby.so'] };
    const image = { 'opt/app/libx.so.1': elf(), 'usr/libz.so': elf(), 'work/lib/liby.so': elf() };
    expect(await found(image, { app, runtime: { workingDirectory: '/work' } })).toEqual([
      'opt/app/libx.so.1',
      'usr/libz.so',
      'work/lib/liby.so',
    ]);
  });

  test('$ORIGIN of a library that is loaded through a symlink is where the symlink is', async () => {
    const image = {
      'a/libx.so.1': symlink('../b/libx.so.1.2'),
      'b/libx.so.1.2': elf({ needed: [b('liby.so.1')], runpath: b('$ORIGIN') }),
      'a/liby.so.1': elf(),
    };
    expect(await found(image, { app: { runpath: b('/a') } })).toContain('a/liby.so.1');
  });
});

describe('the search of musl', () => {
  const image: Table = {
    'lib/ld-musl-x86_64.so.1': elf({ soname: b('libc.musl-x86_64.so.1') }),
    'lib/libc.musl-x86_64.so.1': symlink('ld-musl-x86_64.so.1'),
    'usr/lib/libx.so.1': elf({ needed: [b('liby.so.1'), b('libc.musl-x86_64.so.1')] }),
  };
  const app = { interpreter: musl, needed: ['libx.so.1', 'libc.musl-x86_64.so.1'] };

  test('looks in /lib, /usr/local/lib and /usr/lib, and finds the loader for its C library', async () => {
    const more = { ...image, 'usr/local/lib/liby.so.1': elf(), 'usr/lib/liby.so.1': elf() };
    expect(await found(more, { app })).toEqual([
      'lib/ld-musl-x86_64.so.1',
      'usr/lib/libx.so.1',
      'usr/local/lib/liby.so.1',
    ]);
  });

  test('looks in the directories of its path file instead', async () => {
    const more = {
      ...image,
      'etc/ld-musl-x86_64.path': '/usr/lib\n/opt/lib:/other\n',
      'lib/liby.so.1': elf(),
      'other/liby.so.1': elf(),
    };
    expect(await found(more, { app })).toEqual([
      'lib/ld-musl-x86_64.so.1',
      'other/liby.so.1',
      'usr/lib/libx.so.1',
    ]);
  });

  test('looks in the RUNPATH of loaders too', async () => {
    const more = { ...image, 'own/liby.so.1': elf() };
    expect(await found(more, { app: { ...app, runpath: b('/own') } })).toContain('own/liby.so.1');
  });

  test('serves only its own programs in an image with glibc', async () => {
    const both = { ...image, 'usr/local/lib/libx.so.1': elf(), 'usr/lib/x86_64-linux-gnu/libx.so.1': elf() };
    expect(await found(both, { app: { needed: [b('libx.so.1'), b('libc.so.6')] } })).toEqual([
      'usr/lib/x86_64-linux-gnu/libx.so.1',
    ]);
    expect(await found(both, { app: { interpreter: b(musl) } })).toEqual(['usr/local/lib/libx.so.1']);
  });
});
