import { describe, expect, it } from 'vitest';
import { closureRules } from '../../../src/closure/rules/all.ts';
import { elf, kept, script, type Setting, symlink, type Table } from '../rig.ts';

const rules = closureRules({ keep: [] });

const executable = { mode: 0o755 };

/** A tool with a script beside it in Perl, and further programs with packages of their own. */
const image: Table = {
  'var/lib/dpkg/info/tool.list':
    '/usr/bin/tool\n/usr/sbin/tool-config\n/usr/sbin/tool-setup\n/usr/sbin/tool-sh\n',
  'var/lib/dpkg/info/perl-base.list': '/usr/bin/perl\n/usr/lib/x86_64-linux-gnu/perl-base/strict.pm\n',
  'var/lib/dpkg/info/curl.list': '/usr/bin/curl\n/usr/share/curl/data\n',
  'var/lib/dpkg/info/sudo.list': '/usr/bin/sudo\n/usr/libexec/sudo/sudoers.so\n',
  'usr/bin/tool': elf({}, executable),
  'usr/sbin/tool-config': script('/usr/bin/perl -w'),
  'usr/sbin/tool-setup': symlink('tool-config'),
  'usr/sbin/tool-sh': script('/bin/sh'),
  'bin/sh': elf({}, executable),
  'usr/bin/perl': elf({}, executable),
  'usr/lib/x86_64-linux-gnu/perl-base/strict.pm': 'x',
  'usr/share/perl/5.36.0/Text/Wrap.pm': 'x',
  'usr/bin/curl': elf({}, executable),
  'usr/share/curl/data': 'x',
  'usr/bin/sudo': elf({ interpreter: '/lib64/ld.so' }, executable),
  'lib64/ld.so': elf(),
  'usr/libexec/sudo/sudoers.so': elf(),
  'usr/local/bin/python3': symlink('python3.13'),
  'usr/local/bin/python3.13': elf({}, executable),
  'usr/local/lib/python3.13/json/__init__.py': 'x',
  'usr/local/lib/python3.13/test/test_json.py': 'x',
  'usr/local/lib/python3.13/site-packages/other.py': 'x',
  'usr/local/bin/ruby': elf({}, executable),
  'usr/local/lib/ruby/3.4.0/json.rb': 'x',
  'app/main': elf({}, executable),
  'srv/check/check.py': 'x',
  'srv/check/parts.py': 'x',
};

async function keptOf(setting: Omit<Setting, 'image'>): Promise<readonly string[]> {
  const files = await kept({ image, ...setting }, rules);
  return files.filter((path) => !path.startsWith('var/lib/dpkg/'));
}

const perl = ['usr/bin/perl', 'usr/lib/x86_64-linux-gnu/perl-base/strict.pm'];

describe('a script beside used files', () => {
  const used = { trace: { 'usr/bin/tool': 'exec' } } as const;

  it.each(['package', 'directory'] as const)(
    'goes with its interpreter, which no other file needs (%s)',
    async (granularity) => {
      const files = await keptOf({ ...used, granularity });
      expect(files).toEqual(expect.arrayContaining(['usr/bin/tool', 'usr/sbin/tool-sh', 'bin/sh']));
      expect(files.filter((path) => /perl|tool-config|tool-setup|sudo/.test(path))).toEqual([]);
    },
  );

  it('stays where its interpreter does, which then has its package', async () => {
    const trace = { 'usr/bin/tool': 'exec', 'usr/bin/perl': 'exec' };
    const files = await keptOf({ trace, granularity: 'package' });
    expect(files).toEqual(expect.arrayContaining(['usr/sbin/tool-config', 'usr/sbin/tool-setup', ...perl]));
  });

  it('brings its interpreter with package and standard library where it is of the application', async () => {
    const files = await kept(
      {
        image: { ...image, 'app/bin/report': script('/usr/bin/perl') },
        trace: { 'app/main': 'exec' },
        granularity: 'package',
      },
      rules,
    );
    expect(files).toEqual(
      expect.arrayContaining(['app/bin/report', ...perl, 'usr/share/perl/5.36.0/Text/Wrap.pm']),
    );
  });
});

describe('a command', () => {
  const cases: readonly (readonly [
    what: string,
    setting: Omit<Setting, 'image'>,
    files: readonly string[],
  ])[] = [
    [
      'as a health check keeps the package of its program',
      { runtime: { healthcheck: ['CMD', 'curl', '-f', 'http://x'] } },
      ['usr/bin/curl', 'usr/share/curl/data'],
    ],
    [
      'as a health check of a shell keeps the packages of the programs that it runs',
      { runtime: { healthcheck: ['CMD-SHELL', 'curl -f http://x || exit 1'] } },
      ['bin/sh', 'usr/bin/curl', 'usr/share/curl/data'],
    ],
    [
      'as a kept command keeps the package of its program',
      { keepCommands: [['sudo', '-l']] },
      ['usr/bin/sudo', 'usr/libexec/sudo/sudoers.so', 'lib64/ld.so'],
    ],
    [
      'as a script keeps the package of its interpreter',
      { keepCommands: [['tool-config']] },
      ['usr/bin/tool', 'usr/sbin/tool-config', ...perl, 'usr/share/perl/5.36.0/Text/Wrap.pm'],
    ],
    [
      'in Python keeps the standard library, and the tree of the source',
      { runtime: { healthcheck: ['CMD', 'python3', '/srv/check/check.py'] } },
      [
        'srv/check/check.py',
        'srv/check/parts.py',
        'usr/local/bin/python3',
        'usr/local/bin/python3.13',
        'usr/local/lib/python3.13/json/__init__.py',
      ],
    ],
    [
      'of an image whose entrypoint was traced with another one keeps the package of its program',
      { runtime: { entrypoint: ['/app/main'], command: ['curl', '-f', 'http://x'] } },
      ['usr/bin/curl', 'usr/share/curl/data'],
    ],
    [
      'in Ruby keeps the standard library',
      { keepCommands: [['ruby', '-e', 'x']] },
      ['usr/local/bin/ruby', 'usr/local/lib/ruby/3.4.0/json.rb'],
    ],
  ];
  for (const granularity of ['file', 'package'] as const)
    it.each(cases)(`that no trace shows, at ${granularity}, %s`, async (_, setting, files) => {
      const found = await keptOf({ trace: { 'app/main': 'exec' }, granularity, ...setting });
      expect(found).toEqual(expect.arrayContaining([...files]));
      expect(found.filter((path) => /test_json|other\.py/.test(path))).toEqual([]);
    });
});

describe('the command of an image with an entrypoint', () => {
  const runtime = { entrypoint: ['/app/main'], command: ['curl', '-f', 'http://x'] };
  const dataOf = async (setting: Omit<Setting, 'image' | 'granularity'>) =>
    (await keptOf({ granularity: 'file', ...setting })).includes('usr/share/curl/data');

  it('stays as far as it was used, where the trace shows it', async () => {
    const trace = { 'app/main': 'exec', 'usr/bin/curl': 'exec' } as const;
    expect(await dataOf({ trace, runtime })).toBe(false);
    expect(await dataOf({ trace: { ...trace, 'usr/bin/curl': 'stat' }, runtime })).toBe(true);
  });

  it('is not taken for a program where it is an argument', async () => {
    const arguments_ = { ...runtime, command: ['--curl', 'curl'] };
    expect(await dataOf({ trace: { 'app/main': 'exec' }, runtime: arguments_ })).toBe(false);
  });

  it('is the program of the image without an entrypoint, which is refused where it was not traced', async () => {
    const alone = { entrypoint: [], command: ['curl'] };
    expect(await dataOf({ trace: { 'app/main': 'exec' }, runtime: alone })).toBe(false);
  });
});
