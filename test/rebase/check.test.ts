import { describe, expect, test } from 'vitest';
import type { Runtime } from '../../src/oci/runtime.ts';
import { checkRebaseSteps } from '../../src/rebase/check/check.ts';
import type { RebaseFindings } from '../../src/rebase/findings.ts';
import { atOnce } from '../../src/steps.ts';
import { elf, file, imageOf, runtimeOf, script, symlink, type Table, text } from '../closure/rig.ts';

interface Recipe {
  readonly from: Table;
  readonly to: Table;
  readonly app: Table | readonly Table[];
  readonly runtime?: Runtime;
  /** The runtime of the result. Default: that of the image. */
  readonly after?: Runtime;
}

/** Checks an application of some layers on bases of one layer each. Contents tell files apart. */
async function check({
  from,
  to,
  app,
  runtime = runtimeOf(),
  after = runtime,
}: Recipe): Promise<RebaseFindings> {
  const own = Array.isArray(app) ? (app as readonly Table[]) : [app as Table];
  const view = async (layers: readonly Table[], of: Runtime) => ({
    ...(await imageOf(...layers)),
    runtime: of,
  });
  const input = {
    source: await view([from, ...own], runtime),
    from: await view([from], runtimeOf()),
    to: await view([to], runtimeOf()),
    result: await view([to, ...own], after),
  };
  const views = Object.values(input);
  return atOnce(
    checkRebaseSteps({
      ...input,
      layers: { from: 1, to: 1 },
      printOf: (fs, path) => {
        const contents = views.find((each) => each.fs === fs)?.facts.contents(path);
        return contents == null ? `${fs.length(path)}` : Buffer.from(contents).toString('latin1');
      },
    }),
  );
}

const sentences = async (recipe: Recipe): Promise<readonly string[]> =>
  (await check(recipe)).lacks.map(({ kind, sentence }) => `${kind}: ${sentence}`);

const loader = 'lib64/ld-linux-x86-64.so.2';
const libc = (...versions: readonly string[]) => elf({ soname: 'libc.so.6', versions });
const glibc = { [loader]: elf(), 'lib/libc.so.6': libc('GLIBC_2.2.5', 'GLIBC_2.36', 'GLIBC_2.38') };
const older = { [loader]: elf(), 'lib/libc.so.6': libc('GLIBC_2.2.5', 'GLIBC_2.9', 'GLIBC_2.36') };
const program = elf({
  interpreter: `/${loader}`,
  needed: ['libc.so.6'],
  versionNeeds: [{ library: 'libc.so.6', versions: ['GLIBC_2.2.5', 'GLIBC_2.38'] }],
});

describe('a program of the application', () => {
  test('on a base with all that it needs lacks nothing', async () => {
    expect(await check({ from: glibc, to: { ...glibc, more: 'x' }, app: { 'app/a': program } })).toEqual({
      lacks: [],
      hidden: [],
    });
  });

  test('lacks the version of a symbol that an older library has not', async () => {
    const app = { 'app/a': program, 'app/b': program };
    expect(await check({ from: glibc, to: older, app })).toEqual({
      lacks: [
        {
          kind: 'symbol-version',
          missing: 'libc.so.6 (GLIBC_2.38)',
          neededBy: ['app/a', 'app/b'],
          sentence:
            '"libc.so.6" has no version "GLIBC_2.38": its newest is "GLIBC_2.36"; needed by "app/a", "app/b"',
          advice: expect.stringContaining('at least as new') as string,
        },
      ],
      hidden: [],
    });
  });

  test('takes a library without versions as loaders do', async () => {
    expect(
      await sentences({ from: glibc, to: { ...older, 'lib/libc.so.6': elf() }, app: { a: program } }),
    ).toEqual([]);
  });

  test('lacks its loader on a base of another C library, which says all', async () => {
    const musl = { 'lib/ld-musl-x86_64.so.1': elf() };
    expect(await sentences({ from: glibc, to: musl, app: { a: program } })).toEqual([
      'interpreter: the interpreter "lib64/ld-linux-x86-64.so.2" is not there; needed by "a"',
    ]);
  });

  test('lacks a library that only the old base had, and not one that no base had', async () => {
    const app = {
      a: elf({ needed: ['libssl.so.3', 'libnever.so'] }),
      b: elf({ needed: ['libown.so'] }),
      'lib/libown.so': elf(),
    };
    expect(await sentences({ from: { ...glibc, 'usr/lib/libssl.so.3': elf() }, to: glibc, app })).toEqual([
      'library: the library "libssl.so.3" is not found; needed by "a"',
    ]);
  });

  test('lacks a library of a library that its own search path found', async () => {
    const app = {
      a: elf({ rpath: '/opt/lib', needed: ['libone.so'] }),
      'opt/lib/libone.so': elf({ needed: ['libtwo.so'] }),
    };
    const from = { 'opt/lib/libtwo.so': elf() };
    expect(await sentences({ from, to: {}, app })).toEqual([
      'library: the library "libtwo.so" is not found; needed by "a"',
    ]);
  });

  test('of the new base counts too, where the application breaks it', async () => {
    const to = {
      ...glibc,
      'usr/bin/curl': elf({ needed: ['libz.so'], versionNeeds: [{ library: 'libz.so', versions: ['Z_2'] }] }),
      'lib/libz.so': elf({ versions: ['Z_1', 'Z_2'] }),
    };
    const from = { ...glibc, 'lib/libz.so': elf({ versions: ['Z_1'] }) };
    const body = Buffer.from('\x7fELF of its own');
    const app = { 'lib/libz.so': { ...elf({ versions: ['Z_1'] }), entry: { body }, contents: body } };
    expect(await sentences({ from, to, app })).toEqual([
      'symbol-version: "libz.so" has no version "Z_2": its newest is "Z_1"; needed by "usr/bin/curl"',
    ]);
  });

  test('of a base that the application broke before does not count', async () => {
    const base = { 'usr/bin/x': elf({ needed: ['libx.so'] }), 'lib/libx.so': elf() };
    expect(
      await sentences({ from: base, to: { ...base, new: 'n' }, app: { 'lib/.wh.libx.so': file() } }),
    ).toEqual([]);
  });
});

describe('a script of the application', () => {
  const base = {
    'usr/bin/env': elf(),
    'usr/bin/perl': elf({}, { mode: 0o755 }),
    'usr/bin/python3': elf({}, { mode: 0o755 }),
  };

  test('lacks its interpreter, or the program that env looks for', async () => {
    const app = {
      a: script('/usr/bin/perl -w'),
      b: script('/usr/bin/env python3'),
      c: script('/never/there'),
    };
    expect(await sentences({ from: base, to: { 'usr/bin/env': elf() }, app })).toEqual([
      'interpreter: the interpreter "usr/bin/perl" is not there; needed by "a"',
      'program: "python3", which env looks for in PATH, is not there; needed by "b"',
    ]);
  });

  test('finds programs by the PATH of the result', async () => {
    const to = { 'usr/bin/env': elf(), 'opt/python3': elf({}, { mode: 0o755 }) };
    const app = { b: script('/usr/bin/env python3') };
    expect(await sentences({ from: base, to, app })).toHaveLength(1);
    const after = runtimeOf({ environment: { PATH: '/opt' } });
    expect(await sentences({ from: base, to, app, after })).toEqual([]);
  });

  test('that nothing executes needs none', async () => {
    const module = {
      ...script('/usr/bin/perl'),
      entry: { body: Buffer.from('#!/usr/bin/perl'), mode: 0o644 },
    };
    expect(await sentences({ from: base, to: {}, app: { 'lib/x.pm': module } })).toEqual([]);
  });
});

describe('modules of a language', () => {
  test.each([
    [
      'usr/lib/python3.11/os.py',
      'venv/lib/python3.11/site-packages/x.py',
      'usr/lib/python3.12/os.py',
      'Python 3.11, and the new base has Python 3.12',
    ],
    [
      'usr/lib/ruby/3.1.0/set.rb',
      'var/lib/gems/3.1.0/gems/x/x.rb',
      'usr/local/lib/ruby/3.3.0/set.rb',
      'Ruby 3.1, and the new base has Ruby 3.3',
    ],
    [
      'usr/share/perl/5.36.0/Exporter.pm',
      'usr/local/share/perl/5.36.0/X.pm',
      'other',
      'Perl 5.36, and the new base has no Perl',
    ],
    [
      'usr/lib/php/20220829/json.so',
      'usr/lib/php/20220829/redis.so',
      'usr/lib/php/20230831/json.so',
      'PHP 20220829, and the new base has PHP 20230831',
    ],
  ])('that %s belongs to: %s on %s', async (library, module, other, said) => {
    const app = { [module]: 'x' };
    expect(await sentences({ from: { [library]: 'l' }, to: { [other]: 'l' }, app })).toEqual([
      `language: modules are for ${said}; needed by "${module}"`,
    ]);
    expect(await sentences({ from: { [library]: 'l' }, to: { [library]: 'newer' }, app })).toEqual([]);
    // An interpreter that the application brings along goes with it.
    if (!said.startsWith('PHP'))
      expect(await sentences({ from: {}, to: { [other]: 'l' }, app: { ...app, [library]: 'l' } })).toEqual(
        [],
      );
  });
});

test('a symlink of the application that leads nowhere is named, and one that never led anywhere is not', async () => {
  const app = { 'app/python': symlink('/usr/bin/python3.11'), 'app/never': symlink('/nowhere') };
  expect(await sentences({ from: { 'usr/bin/python3.11': elf() }, to: {}, app })).toEqual([
    'symlink: the symlink "app/python" leads nowhere: its target is "/usr/bin/python3.11"',
  ]);
});

describe('the config', () => {
  const sh = { 'bin/sh': elf({}, { mode: 0o755 }), 'etc/app.conf': 'x' };

  test('lacks its program, and files among its arguments', async () => {
    const runtime = runtimeOf({ entrypoint: ['/bin/sh', '-c', 'serve'], healthcheck: ['CMD', '/bin/sh'] });
    expect(await sentences({ from: sh, to: {}, app: {}, runtime })).toEqual([
      'program: the entrypoint of the config, "/bin/sh", is not a program in the result',
      'program: the health check of the config, "/bin/sh", is not a program in the result',
    ]);
    const command = runtimeOf({ command: ['/app', '--config=/etc/app.conf'] });
    const app = { app: elf({}, { mode: 0o755 }) };
    expect(await sentences({ from: sh, to: {}, app, runtime: command })).toEqual([
      'file: "etc/app.conf" is not there (the command, an argument)',
    ]);
  });

  test('that lacked its program already loses nothing', async () => {
    const runtime = runtimeOf({ entrypoint: ['/never'], user: 'never' });
    expect(await sentences({ from: sh, to: {}, app: {}, runtime })).toEqual([]);
  });

  test('lacks its user, or has another number for it', async () => {
    const passwd = (row: string) => ({ 'etc/passwd': text(`root:x:0:0::/:/bin/sh\n${row}\n`) });
    const [from, runtime] = [passwd('www:x:33:33::/:/bin/sh'), runtimeOf({ user: 'www' })];
    expect(await sentences({ from, to: passwd('web:x:33:33::/:'), app: {}, runtime })).toEqual([
      'user: the config’s user "www" is not in etc/passwd',
    ]);
    expect(await sentences({ from, to: passwd('www:x:82:82::/:'), app: {}, runtime })).toEqual([
      'user: the user "www" of the config was number 33, by which its files are owned, and is 82 on the new base',
    ]);
    expect(await sentences({ from, to: passwd('www:x:33:9::/:'), app: {}, runtime })).toEqual([]);
    expect(await sentences({ from, to: {}, app: {}, runtime: runtimeOf({ user: '33' }) })).toEqual([]);
  });
});

describe('what the application hides', () => {
  const hidden = async (recipe: Recipe) =>
    (await check(recipe)).hidden.map(({ path, how }) => `${path} ${how}`);

  test('is told where the bases differ, or the old one had no such file', async () => {
    const from = { 'etc/passwd': 'old', same: 'x', gone: 'o', link: symlink('a') };
    const to = { 'etc/passwd': 'new', same: 'x', gone: 'n', link: symlink('b'), 'opt/new': 'n', 'd/x': 'n' };
    const app = {
      'etc/passwd': 'old and mine',
      same: 'edited',
      '.wh.gone': file(),
      link: symlink('c'),
      'opt/new': 'mine',
      'd/.wh..wh..opq': file(),
    };
    expect(await hidden({ from, to, app })).toEqual([
      'd/x deleted',
      'etc/passwd outdated',
      'link outdated',
      'opt/new replaced',
    ]);
  });

  test('is nothing where the application has what the new base has', async () => {
    expect(await hidden({ from: { a: 'old' }, to: { a: 'new' }, app: { a: 'new' } })).toEqual([]);
  });

  test.each(['var/lib/dpkg/status', 'lib/apk/db/installed', 'var/lib/rpm/rpmdb.sqlite'])(
    'is a matter of its own for the database of packages %s',
    async (path) => {
      const recipe = { from: { [path]: 'old' }, to: { [path]: 'new' }, app: { [path]: 'old and more' } };
      expect((await check(recipe)).lacks).toMatchObject([{ kind: 'package-database', missing: path }]);
      expect((await check({ ...recipe, to: {} })).lacks).toMatchObject([{ kind: 'package-database' }]);
      // Packages that were installed on the same list, or on none.
      expect((await check({ ...recipe, to: recipe.from })).lacks).toEqual([]);
      expect((await check({ ...recipe, from: {} })).lacks).toEqual([]);
    },
  );
});
