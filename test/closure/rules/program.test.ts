import { describe, expect, test } from 'vitest';
import { configRule } from '../../../src/closure/rules/config.ts';
import { directoriesRule } from '../../../src/closure/rules/directories.ts';
import { elfInterpreterRule } from '../../../src/closure/rules/elf-interpreter.ts';
import { keepCommandRule } from '../../../src/closure/rules/keep-command.ts';
import { ldSoRule } from '../../../src/closure/rules/ld-so.ts';
import { programRules } from '../../../src/closure/rules/program.ts';
import { readInterpreter, scriptRule } from '../../../src/closure/rules/script.ts';
import { symlinkRule } from '../../../src/closure/rules/symlink.ts';
import { traceRule } from '../../../src/closure/rules/trace.ts';
import {
  closureOf,
  directory,
  elf,
  file,
  hardLink,
  kept,
  reasons,
  script,
  symlink,
  type Table,
  text,
  wanting,
} from '../rig.ts';
import { b, p } from '../../support/bytes.ts';

const program = { mode: 0o755 };

describe('trace', () => {
  const image: Table = {
    lib: symlink('usr/lib'),
    'usr/lib/a': 'a',
    'usr/lib/b': 'b',
    'etc/link': symlink('../usr/lib/b'),
    'var/log/': '',
    'var/spool/x': '',
  };

  test('keeps used paths, through symlinks and `..`', async () => {
    expect(await kept({ image, trace: { 'etc/../lib/a': 'open', 'usr/lib': 'list' } }, [traceRule])).toEqual([
      'lib',
      'usr/lib/a',
    ]);
  });

  test('keeps a symlink that was read, and its target as a courtesy', async () => {
    const only = await closureOf({ image, trace: { 'etc/link': 'link' } }, [traceRule]);
    expect([only.strengthOf(p('etc/link')), only.strengthOf(p('usr/lib/b'))]).toEqual(['needed', 'courtesy']);
    const both = await closureOf({ image, trace: { 'etc/link': 'link stat' } }, [traceRule]);
    expect([both.strengthOf(p('etc/link')), both.strengthOf(p('usr/lib/b'))]).toEqual(['needed', 'needed']);
  });

  test('keeps the directory in which something was created', async () => {
    const uses = { 'var/log/new/deeper/file': 'write', 'var/spool/y': 'open', 'usr/lib/a': 'open' };
    const stays = await kept({ image, trace: uses }, [traceRule], { directories: true });
    expect(stays).toContain('var/log');
    expect(stays).not.toContain('var/spool');
  });

  test('does not keep the contents of a listed directory', async () => {
    const setting = { image, trace: { 'usr/lib': 'list', 'usr/lib/a': 'open' } };
    expect(await kept(setting, [traceRule])).toEqual(['usr/lib/a']);
  });
});

describe('the rule for the config keeps', () => {
  const image: Table = {
    bin: symlink('usr/bin'),
    'usr/bin/sh': symlink('dash'),
    'usr/bin/dash': elf({}, program),
    'usr/bin/nginx': elf({}, program),
    'usr/bin/curl': elf({}, program),
    'usr/bin/notes': text('no program'),
    'usr/local/bin/nginx': text('no program either'),
    'docker-entrypoint.sh': script('/bin/sh'),
    'app/main.py': 'print()',
    'app/data/x': '',
    'etc/app.conf': '',
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    'etc/group': 'root:x:0:\n',
  };
  const base = ['etc/group', 'etc/passwd'];

  test('the entrypoint and the command, each found by PATH, and files among their arguments', async () => {
    const runtime = {
      entrypoint: ['/docker-entrypoint.sh'],
      command: ['nginx', '-c', '/etc/app.conf', 'main.py', '--log=/var/none', 'data'],
      workingDirectory: '/app',
    };
    expect(await kept({ image, runtime }, [configRule])).toEqual([
      'app/main.py',
      'docker-entrypoint.sh',
      'etc/app.conf',
      ...base,
      'usr/bin/nginx',
    ]);
  });

  test('programs by the PATH of the config, where only executable files count', async () => {
    const runtime = { command: ['notes'], environment: { PATH: '/usr/bin' } };
    expect(await kept({ image, runtime }, [configRule])).toEqual(base);
    const elsewhere = { command: ['nginx'], environment: { PATH: '/opt/bin:/bin' } };
    expect(await kept({ image, runtime: elsewhere }, [configRule])).toEqual([
      'bin',
      ...base,
      'usr/bin/nginx',
    ]);
  });

  test('the programs of the shell form, and of the health check in both forms', async () => {
    const shell = { command: ['/bin/sh', '-c', 'cd /app && FOO=1 exec nginx -g "daemon off;"'] };
    expect(await kept({ image, runtime: shell }, [configRule])).toEqual([
      'bin',
      ...base,
      'usr/bin/dash',
      'usr/bin/nginx',
      'usr/bin/sh',
    ]);
    const health = { healthcheck: ['CMD-SHELL', 'curl -f http://localhost/ || exit 1'] };
    expect(await kept({ image, runtime: health }, [configRule])).toEqual([
      'bin',
      ...base,
      'usr/bin/curl',
      'usr/bin/dash',
      'usr/bin/sh',
    ]);
    expect(await kept({ image, runtime: { healthcheck: ['CMD', 'curl'] } }, [configRule])).toContain(
      'usr/bin/curl',
    );
  });

  test('the working directory and the volumes, without their contents', async () => {
    const runtime = { workingDirectory: '/app', volumes: ['/app/data'] };
    expect(await kept({ image, runtime }, [configRule], { directories: true })).toEqual([
      'app',
      'app/data',
      'etc',
      ...base,
    ]);
  });

  test('the programs of --keep-command, of which a missing one is a problem', async () => {
    const setting = { image, keepCommands: [['curl', '--config', '/etc/app.conf'], ['gone']] };
    expect(await kept(setting, [keepCommandRule])).toEqual(['etc/app.conf', 'usr/bin/curl']);
    const { problems } = await closureOf(setting, [keepCommandRule]);
    expect(problems.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['missing gone']);
  });

  test('the program that a wrapper runs', async () => {
    const wrapped = { ...image, 'usr/bin/tini': elf({}, program) };
    const runtime = { entrypoint: ['tini', '-g', '--', 'nginx'] };
    expect(await kept({ image: wrapped, runtime }, [configRule])).toEqual([
      ...base,
      'usr/bin/nginx',
      'usr/bin/tini',
    ]);
  });
});

describe('scripts', () => {
  test.each([
    ['/bin/sh -e', { interpreter: '/bin/sh', program: null, argument: '-e' }],
    ['/usr/bin/env python3', { interpreter: '/usr/bin/env', program: 'python3', argument: null }],
    ['/usr/bin/env -S node --flag x', { interpreter: '/usr/bin/env', program: 'node', argument: null }],
    ['/usr/bin/env -Snode --flag', { interpreter: '/usr/bin/env', program: 'node', argument: null }],
    ['/usr/bin/env -iS A=1 perl -w', { interpreter: '/usr/bin/env', program: 'perl', argument: null }],
    ['/usr/bin/env -u HOME ruby', { interpreter: '/usr/bin/env', program: 'ruby', argument: null }],
    ['/usr/bin/env', { interpreter: '/usr/bin/env', program: null, argument: null }],
  ])('are read as the kernel and env do: #!%s', (line, expected) => {
    expect(readInterpreter(b(line))).toEqual(expected);
  });

  const image: Table = {
    'usr/bin/env': elf({}, program),
    'usr/bin/python3': symlink('python3.11'),
    'usr/bin/python3.11': elf({}, program),
    'bin/sh': elf({}, program),
    'lib/init-d-script': script('/bin/sh'),
    run: script('/usr/bin/env python3'),
    chain: script('/run'),
    service: script('/bin/sh /lib/init-d-script'),
    'module.py': { ...text('#!/usr/bin/env python3'), script: b('/usr/bin/env python3') },
    a: script('/b'),
    b: script('/a'),
  };

  test('keep their interpreters, the programs that env looks up, and interpreters that are scripts', async () => {
    expect(await kept({ image }, [wanting('chain'), scriptRule])).toEqual([
      'chain',
      'run',
      'usr/bin/env',
      'usr/bin/python3',
      'usr/bin/python3.11',
    ]);
    expect(await kept({ image }, [wanting('service'), scriptRule])).toEqual([
      'bin/sh',
      'lib/init-d-script',
      'service',
    ]);
  });

  test('keep nothing if they are not executable, and circles of them end', async () => {
    expect(await kept({ image }, [wanting('module.py'), scriptRule])).toEqual(['module.py']);
    expect(await kept({ image }, [wanting('a'), scriptRule])).toEqual(['a', 'b']);
  });
});

describe('loaders', () => {
  const loader = '/lib64/ld-linux-x86-64.so.2';
  const image: Table = {
    lib64: symlink('usr/lib64'),
    'usr/lib64/ld-linux-x86-64.so.2': elf(),
    'usr/lib64/libpre.so': elf(),
    'usr/lib64/libaudit.so': elf(),
    'opt/libpreload.so': elf(),
    'bin/app': elf({ interpreter: b(loader) }),
    'bin/static': elf(),
    'etc/ld.so.conf': 'include ld.so.conf.d/*.conf\n',
    'etc/ld.so.conf.d/x.conf': '/opt\n',
    'etc/ld.so.preload': '# comment\n/opt/libpreload.so libpre.so\n',
  };

  test('that no trace shows stay, with the files that they read', async () => {
    const rules = [wanting('bin/app'), elfInterpreterRule, ldSoRule];
    expect(await kept({ image, runtime: { environment: { LD_AUDIT: 'libaudit.so' } } }, rules)).toEqual([
      'bin/app',
      'etc/ld.so.conf',
      'etc/ld.so.conf.d/x.conf',
      'etc/ld.so.preload',
      'lib64',
      'opt/libpreload.so',
      'usr/lib64/ld-linux-x86-64.so.2',
      'usr/lib64/libaudit.so',
      'usr/lib64/libpre.so',
    ]);
    const cached = { ...image, 'etc/ld.so.cache': 'no cache' };
    const stays = await kept({ image: cached }, rules);
    expect(stays).toContain('etc/ld.so.cache');
    expect(stays).not.toContain('etc/ld.so.conf');
  });

  test('do not stay for a static program', async () => {
    expect(await kept({ image }, [wanting('bin/static'), elfInterpreterRule, ldSoRule])).toEqual([
      'bin/static',
    ]);
  });
});

describe('symlinks that lead to a kept path', () => {
  const image: Table = {
    'bin/busybox': elf({}, program),
    'bin/ls': symlink('/bin/busybox'),
    'bin/dir': symlink('ls'),
    'bin/vi': hardLink('bin/busybox'),
    'bin/other': symlink('nowhere'),
  };

  test('stay as whole; other names of a hard link do not', async () => {
    const closure = await closureOf({ image }, [wanting('bin/busybox'), symlinkRule]);
    expect([...closure.paths()].filter((path) => path.startsWith('bin/'))).toEqual([
      'bin/busybox',
      'bin/dir',
      'bin/ls',
    ]);
    expect(closure.strengthOf(p('bin/ls'))).toBe('whole');
    expect(await reasons({ image }, [wanting('bin/busybox'), symlinkRule], 'bin/ls')).toEqual([
      'bin/ls: symlink, leads there, for bin/busybox (whole)',
      'bin/busybox: root, wanted',
    ]);
  });

  test('do not stay for a courtesy', async () => {
    const courtesy = {
      name: 'c',
      describe: '',
      *roots() {
        yield { path: b('bin/busybox'), detail: b(''), strength: 'courtesy' as const };
      },
    };
    expect(await kept({ image }, [courtesy, symlinkRule])).toEqual(['bin/busybox']);
  });
});

describe('directories', () => {
  test('stay empty if something may be written into them or mounted over them', async () => {
    const image: Table = {
      'tmp/junk': '',
      'tmp/': directory({ mode: 0o1777 }),
      'proc/': '',
      'var/lib/app/': directory({ uid: 1000 }),
      'var/cache/deep/er/and/deeper/x': '',
      'usr/share/doc/x': '',
      'usr/share/empty/': '',
      'app/': directory({ uid: 1000 }),
      'app/node_modules/': directory({ uid: 1000 }),
      'app/node_modules/x/': directory({ uid: 1000 }),
      'app/node_modules/x/index.js': file(1, { uid: 1000 }),
      'opt/drop/': directory({ mode: 0o777 }),
      'opt/drop/x': '',
    };
    expect(await kept({ image }, [directoriesRule], { directories: true })).toEqual([
      'app',
      'opt',
      'opt/drop',
      'proc',
      'tmp',
      'usr',
      'usr/share',
      'usr/share/empty',
      'var',
      'var/cache',
      'var/cache/deep',
      'var/cache/deep/er',
      'var/lib',
      'var/lib/app',
    ]);
  });
});

test('every rule has a unique name and a sentence', () => {
  const names = programRules.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { describe } of programRules) expect(describe).toMatch(/^[A-Z“][^]*\.$/);
});
