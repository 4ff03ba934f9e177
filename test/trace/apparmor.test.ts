import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { apparmorProfile, checkProfileName, profileNameOf } from '../../src/trace/apparmor.ts';
import { mostFileRules } from '../../src/trace/apparmor/grouping.ts';
import type { ProfiledImage } from '../../src/trace/apparmor/path-patterns.ts';
import { mergeTraces } from '../../src/trace/merge.ts';
import { noRights, type Rights } from '../../src/trace/rights.ts';
import { type NameChange, type Trace, type Uses, uses } from '../../src/trace/trace.ts';
import { writeTrace } from '../../src/trace/trace-file.ts';
import { rightsIn, rulesIn } from '../support/apparmor/glob.ts';
import { b } from '../support/bytes.ts';
import { anyTrace } from './any-trace.ts';
import { readTrace } from './read-trace.ts';

const empty = readTrace('');

function traceOf(
  paths: Readonly<Record<string, Uses>>,
  rights: Partial<Rights> = {},
  changes: readonly NameChange[] = [],
): Trace {
  const entries = Object.entries(paths).map(([path, bits]) => [b(path), bits] as const);
  return { ...empty, paths: new Map(entries), changes, rights: { ...noRights, ...rights } };
}

function profileOf(trace: Trace, image: ProfiledImage | null = null): string {
  return apparmorProfile(trace, { name: 'app', image }).text;
}

/** The lines of a profile that have to do with what is meant, without indentation. */
function linesOf(profile: string, pattern: RegExp): string[] {
  return profile
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => pattern.test(line));
}

/** The rules for files, without those that each profile has. */
function rulesOf(paths: Readonly<Record<string, Uses>>, image: ProfiledImage | null = null): string[] {
  return linesOf(profileOf(traceOf(paths), image), /^(?:"|\/|@)/).filter(
    (line) => !/^\/ r,$|^\/dev\/(?:console|tty|pts\/\*) rw,$/.test(line),
  );
}

const { open, exec, stat, list, write, link, fail, failLink, connect } = uses;

/** The names of a path in which `..` is resolved, and which is not of a place with names of its own. */
function plainPath(path: string): string | null {
  const names: string[] = [];
  for (const name of path.split('/'))
    if (name === '..') names.pop();
    else if (name !== '.') names.push(name);
  if (path === '.' || path.startsWith('./')) return `/srv/${names.join('/')}`;
  return names.length === 0 || names[0] === 'proc' ? null : `/${names.join('/')}`;
}

/** Returns the rights that a path in use must have. */
function needed(bits: Uses): string {
  const has = (bit: Uses, letters: string): string => ((bits & bit) === 0 ? '' : letters);
  return has(open, 'r') + has(list, 'r') + has(exec, 'rmx') + has(write, 'rwk') + has(connect, 'rw');
}

describe('laws', () => {
  test('each path of a trace has the rights that its uses need, as a file or as a directory', () => {
    let checked = 0;
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const rightsAt = rightsIn(rulesIn(profileOf(trace)));
        for (const [path, bits] of trace.paths) {
          const plain = plainPath(path);
          if (plain === null || needed(bits) === '') continue;
          const given = [rightsAt(b(plain)), rightsAt(b(`${plain}/`))];
          const missing = given.map((letters) =>
            needed(bits)
              .split('')
              .filter((each) => !letters.includes(each)),
          );
          expect(Math.min(...missing.map(({ length }) => length)), JSON.stringify([path, bits, given])).toBe(
            0,
          );
          checked++;
        }
      }),
    );
    expect(checked).toBeGreaterThan(100);
  });

  test('a name of any bytes is allowed by a rule that stands for it alone', () => {
    const name = fc
      .array(
        fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f),
        { minLength: 1, maxLength: 12 },
      )
      .map((bytes) => String.fromCharCode(...bytes))
      .filter((each) => each !== '.' && each !== '..');
    fc.assert(
      fc.property(name, name, (one, other) => {
        const rightsAt = rightsIn(rulesIn(profileOf(traceOf({ [`srv/${one}`]: open }))));
        expect(rightsAt(b(`/srv/${one}`))).toContain('r');
        if (other !== one) expect(rightsAt(b(`/srv/${other}`))).toBe('');
        expect(rightsAt(b(`/srv/${one}${other}`))).toBe('');
        expect(rightsAt(b(`/srv/${one}/${other}`))).toBe('');
      }),
    );
  });

  test('a profile depends on what is in a trace, not on its order or its form', () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const once = profileOf(trace);
        const text = Buffer.from([...writeTrace(trace)].join(''), 'utf8').toString('latin1');
        expect(profileOf(readTrace(text))).toBe(once);
        expect(profileOf({ ...trace, paths: new Map([...trace.paths].reverse()) })).toBe(once);
        const twice = mergeTraces([
          { ...trace, lines: 1 },
          { ...trace, lines: 1 },
        ]);
        expect(profileOf(twice)).toBe(once);
      }),
    );
  });

  test('a profile is ASCII, and its rules for files are sorted and distinct', () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const profile = profileOf(trace);
        expect(profile).toMatch(/^[\n -~]*$/);
        const globs = rulesIn(profile)
          .filter(({ isDenial }) => !isDenial)
          .map(({ glob }) => glob);
        expect(globs).toEqual([...new Set(globs)].sort());
      }),
    );
  });
});

describe('rules for files', () => {
  it.each<[string, Record<string, Uses>, string[]]>([
    ['what is opened is read', { 'etc/a.conf': open }, ['/etc/a.conf r,']],
    [
      'a library is mapped, too',
      { 'opt/a.so': open, 'opt/b.so.1.2': open, 'opt/c.sock': open },
      ['/opt/a.so mr,', '/opt/b.so.1.2 mr,', '/opt/c.sock r,'],
    ],
    ['a program is executed, read and mapped', { 'opt/app': exec }, ['/opt/app mrix,']],
    [
      'a directory ends with a slash',
      { 'etc/conf.d': list, 'etc/conf.d/a': open },
      ['/etc/conf.d/ r,', '/etc/conf.d/a r,'],
    ],
    [
      'a directory that was only opened does, if something in it was used',
      { 'srv/a': open, 'srv/a/b': stat },
      ['/srv/a/ r,'],
    ],
    ['what was written may be a file or a directory', { 'srv/log': write }, ['/srv/log{,/} rwk,']],
    [
      'a directory that was made is one',
      { 'srv/d': write, 'srv/d/f': write | open },
      ['/srv/d/ rwk,', '/srv/d/f{,/} rwk,'],
    ],
    [
      'a socket that was talked to is read and written',
      { 'srv/db.sock': stat | connect },
      ['/srv/db.sock rw,'],
    ],
    ['a database may be locked', { 'srv/a.sqlite3': open }, ['/srv/a.sqlite3 rk,']],
    ['looking at names and failing needs nothing', { 'srv/a': stat | link, 'srv/b': fail | failLink }, []],
    ['`..` is resolved', { 'srv/a/../b': open, '../../c': open }, ['/c r,', '/srv/b r,']],
    [
      '/bin and /usr/bin may be one',
      { 'bin/sh': exec, 'usr/lib/a.so': open, 'usr/share/a': open },
      ['/usr/share/a r,', '/{,usr/}bin/sh mrix,', '/{,usr/}lib/a.so mr,'],
    ],
    [
      'so may /run and /var/run',
      { 'run/a.pid': write, 'var/run/a.pid': open },
      ['/{,var/}run/a.pid r,', '/{,var/}run/a.pid{,/} rwk,'],
    ],
    [
      'a relative path may be anywhere',
      { './a': open, './b/c': open, '.': list },
      ['/**/ r,', '/{,**/}a r,', '/{,**/}b/c r,'],
    ],
    [
      'numbers of processes stand for all',
      {
        'proc/self/status': open,
        'proc/12/status': open,
        'proc/self/fd': list,
        'proc/thread-self/comm': open,
        'proc/7/task/9/stat': open,
        'proc/self/fdinfo/7': open,
      },
      [
        '@{PROC}/@{pid}/fd/ r,',
        '@{PROC}/@{pid}/fdinfo/* r,',
        '@{PROC}/@{pid}/status r,',
        '@{PROC}/@{pid}/task/@{tid}/comm r,',
        '@{PROC}/@{pid}/task/@{tid}/stat r,',
      ],
    ],
    [
      'other files of /proc stand for themselves',
      { 'proc/meminfo': open, proc: list, 'proc/sys/vm/overcommit_memory': open },
      ['@{PROC}/ r,', '@{PROC}/meminfo r,', '@{PROC}/sys/vm/overcommit_memory r,'],
    ],
    ['the root of a process is the root', { 'proc/1/root/etc/a': open }, ['/etc/a r,']],
    [
      'a made-up name of a scratch file stands for all',
      { 'tmp/tmpab12cd': write | open, 'var/tmp/app/go-build4711/b': write },
      ['/tmp/** rwk,', '/var/tmp/** rwk,'],
    ],
    [
      'a chosen one stands for itself',
      { 'tmp/app.sock': write, 'dev/shm/app': open },
      ['/dev/shm/app r,', '/tmp/app.sock{,/} rwk,'],
    ],
    [
      'numbers in a name that was written stand for any',
      {
        'srv/base/16384/2619': write | open,
        'srv/core.4711': write,
        'srv/a-2024.conf': open,
        'srv/facade00': write,
      },
      ['/srv/a-2024.conf r,', '/srv/base/*/*{,/} rwk,', '/srv/core.*{,/} rwk,', '/srv/*{,/} rwk,'].sort(),
    ],
    [
      'special characters stand for themselves',
      {
        'srv/a b': open,
        'srv/[x]*{y,z}?^': open,
        'srv/"q"\\': open,
        'srv/caf\xe9\n': open,
        'srv/@{PROC}': open,
        'srv/a,': open,
      },
      [
        '"/srv/@\\173PROC\\175" r,',
        '"/srv/\\042q\\042\\134" r,',
        '"/srv/\\133x\\135\\052\\173y\\054z\\175\\077\\136" r,',
        '"/srv/a b" r,',
        '"/srv/a\\054" r,',
        '"/srv/caf\\351\\012" r,',
      ],
    ],
  ])('rules where %s', (_title, paths, rules) => {
    expect(rulesOf(paths).sort()).toEqual([...rules].sort());
  });

  it('a new name of a hard link has the right to be one, and the old name has its rights', () => {
    const changes: NameChange[] = [{ kind: 'moved', path: b('srv/b'), from: b('srv/a') }];
    const trace = traceOf({ 'srv/a': link, 'srv/b': write | link }, {}, changes);
    expect(linesOf(profileOf(trace), /^\/srv/)).toEqual(['/srv/a rwk,', '/srv/b{,/} rwkl,']);
  });

  it('symlinks that the run made are followed, in circles too', () => {
    const changes: NameChange[] = [
      { kind: 'symlink', path: b('srv/on/x'), target: b('../off/x') },
      { kind: 'symlink', path: b('srv/off'), target: b('/opt/./off') },
      { kind: 'symlink', path: b('srv/on/y'), target: b('y') },
    ];
    const trace = traceOf({ 'srv/on/x': open, 'srv/on/y': open }, {}, changes);
    expect(linesOf(profileOf(trace), /^\/(?:srv|opt)/)).toEqual([
      '/opt/off/x r,',
      '/srv/off/x r,',
      '/srv/on/x r,',
      '/srv/on/y r,',
    ]);
  });

  it('an image tells where paths lead, what is a directory, and what is in volumes', () => {
    const image: ProfiledImage = {
      resolve: (path) => b(path.replace(/^bin\//, 'usr/bin/').replace(/^usr\/bin\/sh$/, 'usr/bin/dash')),
      isDirectory: (path) => (path === 'srv/dir' ? true : path === 'srv/file' ? false : null),
      interpreter: () => null,
      volumes: [b('data')],
      overridesModes: false,
    };
    const paths = {
      'bin/sh': exec,
      'srv/dir': open,
      'srv/file': write,
      'srv/new': write,
      data: list,
      'data/a': open,
      'data/b': write,
      'data/run': exec,
      './c': open,
    };
    expect(rulesOf(paths, image)).toEqual([
      '/bin/sh mrix,',
      '/data/ r,',
      '/data/** rwk,',
      '/data/run mrix,',
      '/srv/dir/ r,',
      '/srv/file rwk,',
      '/srv/new{,/} rwk,',
      '/usr/bin/dash mrix,',
      '/{,**/}c r,',
    ]);
  });
});

describe('a program that executes itself by /proc', () => {
  const image: ProfiledImage = {
    resolve: (path) => b(path.replace(/^bin\/sh$/, 'bin/busybox')),
    isDirectory: () => null,
    interpreter: (path) =>
      ({ 'app/run.sh': b('app/second'), 'app/second': b('bin/sh'), 'app/loop': b('app/loop') })[
        path as string
      ] ?? null,
    volumes: [],
    overridesModes: false,
  };

  it('has the right to execute its own file, which may run a script that alone was executed by its name', () => {
    expect(rulesOf({ 'proc/self/exe': exec, 'app/run.sh': exec }, image)).toEqual([
      '/app/run.sh mrix,',
      '/app/second mrix,',
      '/bin/busybox mrix,',
      '/bin/sh mrix,',
      '@{PROC}/@{pid}/exe mrix,',
    ]);
    expect(rulesOf({ 'proc/self/exe': exec, 'bin/sh': exec }, image)).toContain('/bin/busybox mrix,');
  });

  it('may be run by programs that only the image tells, in circles too', () => {
    expect(rulesOf({ 'app/run.sh': exec, 'app/loop': exec }, image)).toEqual([
      '/app/loop mrix,',
      '/app/run.sh mrix,',
      '/app/second mrix,',
      '/bin/busybox mrix,',
      '/bin/sh mrix,',
    ]);
  });
});

describe('large traces', () => {
  const many = (count: number, path: (i: number) => string, bits: Uses): Record<string, Uses> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [path(i), bits]));

  it('many files of one directory get one rule, but not with the rights of others', () => {
    const few = many(64, (i) => `usr/share/few/f${i}`, open);
    const paths = { ...few, ...many(65, (i) => `usr/share/many/f${i}`, open), 'usr/share/many/log': write };
    const rules = rulesOf(paths);
    expect(rules).toHaveLength(66);
    expect(rules).toContain('/usr/share/many/* r,');
    expect(rules).toContain('/usr/share/many/log{,/} rwk,');
  });

  it.each<[string, (i: number) => string]>([
    ['in one directory', (i) => `srv/f${i}`],
    ['in one directory each', (i) => `srv/d${i}/f`],
    [
      'in deep directories',
      (i) =>
        `srv/${String(i)
          .split('')
          .map((digit) => `d${digit}`)
          .join('/')}/f`,
    ],
    ['at the root', (i) => `top${i}/a`],
    ['in directories that are not known', (i) => `./f${i}`],
  ])('a profile of 20,000 paths %s is small, and each path is still allowed', (_title, path) => {
    const paths = { ...many(20_000, path, open), ...many(20_000, (i) => `${path(i)}.log`, write) };
    const rules = rulesIn(profileOf(traceOf(paths)));
    expect(rules.length).toBeLessThan(mostFileRules + 20);
    const rightsAt = rightsIn(rules);
    for (let i = 0; i < 20_000; i += 997) {
      const name = path(i).replace(/^\.\//, 'srv/');
      expect(rightsAt(b(`/${name}`))).toContain('r');
      expect(rightsAt(b(`/${name}.log`))).toBe('krw');
    }
  });
});

describe('sockets and capabilities', () => {
  it('are those that the trace shows, with the calls that needed them', () => {
    const profile = profileOf(
      traceOf(
        { a: open },
        {
          isComplete: true,
          sockets: new Set(['unix stream', 'inet stream', 'netlink raw', 'xdp raw']),
          capabilities: new Map([
            ['net_bind_service', new Set(['bind'])],
            ['chown', new Set(['fchown', 'chown'])],
          ]),
        },
      ),
    );
    expect(linesOf(profile, /^(?:# )?(?:network|unix type|capability)/)).toEqual([
      'network inet stream,',
      'network inet6 stream,',
      'network netlink raw,',
      'network unix stream,',
      'unix type=stream,',
      '# network xdp raw: used, but older parsers do not know it, so that it is refused',
      'capability chown, # chown, fchown',
      'capability net_bind_service, # bind',
      'capability dac_override,',
      'capability fowner,',
    ]);
  });

  it('are all allowed where the trace may not show them', () => {
    const profile = profileOf(traceOf({ a: open }, { sockets: new Set(['inet stream']) }));
    expect(linesOf(profile, /^(?:network|unix,|capability)/)).toEqual(['network,', 'unix,', 'capability,']);
  });

  it('power over files of others is offered, and given to a program that switches users or whose image needs it', () => {
    const plain = traceOf({ a: open }, { isComplete: true });
    expect(linesOf(profileOf(plain), /capability/)).toContain('# capability dac_override,');
    const switching = traceOf(
      { a: open },
      { isComplete: true, capabilities: new Map([['setuid', new Set(['setuid'])]]) },
    );
    expect(linesOf(profileOf(switching), /^capability/)).toContain('capability dac_override,');
    const image: ProfiledImage = {
      resolve: (path) => path,
      isDirectory: () => null,
      interpreter: () => null,
      volumes: [],
      overridesModes: true,
    };
    expect(linesOf(profileOf(plain, image), /^capability/)).toEqual([
      'capability dac_override,',
      'capability fowner,',
    ]);
  });
});

describe('what is refused', () => {
  it('is left out where the trace uses it', () => {
    const denials = (paths: Record<string, Uses>): number =>
      linesOf(profileOf(traceOf(paths)), /^deny/).length;
    const all = denials({ 'proc/meminfo': open, 'proc/sys/vm/swappiness': open, 'sys/fs/cgroup/a': open });
    expect(all).toBe(9);
    expect(denials({ 'proc/sys/vm/swappiness': write })).toBe(all - 2);
    expect(denials({ 'proc/kcore': open })).toBe(all - 2);
    expect(denials({ 'sys/fs/cgroup/a': write })).toBe(all - 1);
    expect(denials({ 'sys/firmware/a': open })).toBe(all - 1);
    expect(denials({ 'proc/self/root/sys/fs/cgroup/a': write })).toBe(all - 1);
  });

  it('mounts are allowed where the trace mounts', () => {
    const capabilities = new Map([['sys_admin', new Set(['mount'])]] as const);
    const profile = profileOf(traceOf({ a: open }, { isComplete: true, capabilities }));
    expect(linesOf(profile, /mount,/)).toEqual(['mount,', 'umount,']);
  });
});

describe('the name', () => {
  it('is a word that AppArmor takes as a name', () => {
    expect(checkProfileName('app-1.2_x', '--profile-name')).toBe('app-1.2_x');
    for (const name of ['', '/usr/bin/app', 'a b', ':ns:a', 'a//b', '-a', 'a{b}', 'x'.repeat(129)])
      expect(() => checkProfileName(name, '--profile-name')).toThrow('is not a name of a profile');
  });

  it('is that of the file, if nothing else is said', () => {
    expect(['/x/app.apparmor', 'app', '-', null, '.a', 'a b.profile', '/x.y/'].map(profileNameOf)).toEqual([
      'app',
      'app',
      'ocislim',
      'ocislim',
      'ocislim',
      'a-b',
      'ocislim',
    ]);
  });
});

it('no text of a trace file gets out of a comment', () => {
  const gaps = ['does not show\n}\nprofile evil {', 'include <abstractions/base>'];
  const profile = profileOf({ ...traceOf({ a: open }), gaps });
  expect(profile).toContain('# The trace does not show?}?profile evil {.\n');
  expect(profile).toContain('# The trace include <abstractions/base>.\n');
});
