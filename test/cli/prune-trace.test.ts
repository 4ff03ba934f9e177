import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callCli, type CliResult } from '../support/cli.ts';
import { buildImage, buildIndex, writeLayout } from '../support/image-builder.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

/** A program that a script runs, an application with its data, and files that it never reads, over three layers. */
const layers: readonly (readonly Short[])[] = [
  [
    { name: 'bin/run', body: bytesOf('program'), mode: 0o755 },
    'bin/other=unused program',
    'etc/passwd=root:x:0:0::/:/bin/run\napp:x:1000:1000::/:/bin/run\n',
    'etc/group=root:x:0:\n',
    'usr/share/doc/run/copyright=free',
    'usr/share/doc/run/manual=long',
    'var/lib/dpkg/status=Package: run\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n',
    'var/lib/dpkg/info/run.list=/bin/run\n/bin/helper\n/usr/share/doc/run/manual\n',
    'bin/helper=of the package',
  ],
  [
    { name: 'app/main', body: bytesOf('#!/bin/run\nmain'), mode: 0o755 },
    'app/data/used=1',
    'app/data/unused=2',
    'app/link~>data/used',
    'app/hard->app/data/unused',
  ],
  ['app/data/used=newer', 'app/top=3'],
];
const config = { config: { Entrypoint: ['/app/main'], User: 'app', WorkingDir: '/app' } };

let folder = '';
let image = '';

function build(architecture = 'amd64', more: object = {}) {
  return buildImage({
    layers: layers.map((entries) => writeTar(entries.map(specOf))),
    config: { ...config, ...more },
    platform: { os: 'linux', architecture },
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocislim-prune-trace-'));
  const [amd, arm] = [build(), build('arm64')];
  await writeLayout(join(folder, 'image'), {
    v1: amd,
    both: buildIndex({ images: [amd, arm] }),
    lost: build('amd64', { config: { Entrypoint: ['/app/none', '/app/top'], User: 'nobody' } }),
    state: buildImage({
      layers: [
        ...layers.map((entries) => writeTar(entries.map(specOf))),
        writeTar([
          { name: 'var/app', type: 'dir', uid: 1000 },
          { name: 'var/app/state', uid: 1000, body: bytesOf('old') },
        ]),
      ],
      config,
    }),
    odd: buildImage({
      layers: [
        writeTar([
          { name: 'bin/run', body: bytesOf('program'), mode: 0o755 },
          { name: 'app/\xc3\xbc', body: bytesOf('#!/bin/run \x1b[2J\n'), mode: 0o755 },
          { name: 'bin/other', body: bytesOf('other') },
        ]),
      ],
      config: { config: { Entrypoint: ['/app/ü'] } },
    }),
  });
  image = `oci:${join(folder, 'image')}`;
});

afterAll(() => rmSync(folder, { recursive: true }));

function traced(name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

const usual = ['/app/main', '/app/link'];

interface Kept {
  readonly path: string;
  readonly rule: string;
  readonly because: string | null;
}

/** Prunes, and returns what its report says was kept and what is left. */
async function prune(...args: readonly string[]): Promise<CliResult & { left: string[]; kept: Kept[] }> {
  const report = join(folder, 'report.json');
  const result = await callCli([
    'prune',
    `${image}:v1`,
    `oci:${join(folder, 'out')}:slim`,
    '--report',
    report,
    '--progress',
    'none',
    ...args,
  ]);
  if (result.status !== 0) return { ...result, left: [], kept: [] };
  const { platforms } = JSON.parse(readFileSync(report, 'utf8')) as {
    platforms: { keeping: { kept: Kept[] } | null; slimming: { removed: { path: string }[] } }[];
  };
  const kept = platforms[0]?.keeping?.kept ?? [];
  const gone = new Set(platforms[0]?.slimming.removed.map(({ path }) => path));
  const all = layers.flatMap((entries) => entries.map((entry) => specOf(entry).name));
  return {
    ...result,
    kept,
    left: [...new Set(all)].filter((path) => !gone.has(path) || path === 'app/data/used'),
  };
}

describe('prune --trace', () => {
  test('with granularity file keeps what was used, and what that needs', async () => {
    const { status, left } = await prune('--trace', traced('a.list', usual), '--granularity', 'file');
    expect(status).toBe(0);
    expect(left).toEqual([
      'bin/run',
      'etc/passwd',
      'etc/group',
      'usr/share/doc/run/copyright',
      'var/lib/dpkg/status',
      'var/lib/dpkg/info/run.list',
      'app/main',
      'app/data/used',
      'app/link',
    ]);
  });

  test('with granularity package keeps the package, less its documentation', async () => {
    const { left, kept } = await prune('--trace', traced('p.list', [...usual, '/bin/run']));
    expect(left).toContain('bin/helper');
    expect(left).not.toContain('usr/share/doc/run/manual');
    expect(left).not.toContain('bin/other');
    expect(kept.find(({ path }) => path === 'bin/helper')).toMatchObject({
      rule: 'package',
      because: 'bin/run',
    });
  });

  test('leaves out a file that the user of the image emptied and can create, as long as no trace shows that it was read', async () => {
    const opened = 'openat(AT_FDCWD, "/var/app/state", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3';
    const start = 'execve("/app/main", ["main"], 0x1 /* 0 vars */) = 0';
    const emptied = traced('emptied.strace', [start, opened]);
    const read = traced('read.strace', [start, opened.replace(/O_WRONLY.*0644/, 'O_RDONLY')]);
    const left = async (...traces: readonly string[]) => {
      const to = `oci:${join(folder, 'state')}:v1`;
      const args = [...traces.flatMap((file) => ['--trace', file]), '--granularity', 'file'];
      const { status, stderr } = await callCli(['prune', `${image}:state`, to, ...args, '-q']);
      expect(status, stderr).toBe(0);
      const { stdout } = await callCli(['ls', '-R', to, 'var/app']);
      const listed = await callCli(['ls', '-d', to, 'var/app']);
      expect(listed.stdout).toContain('var/app');
      return stdout;
    };
    expect(await left(emptied)).toBe('');
    expect(await left(emptied, read)).toContain('var/app/state');
    expect(await left(read)).toContain('var/app/state');
  });

  test('with granularity directory keeps what lies beside it', async () => {
    const { left } = await prune('--trace', traced('a.list', usual), '--granularity', 'directory');
    expect(left).toContain('bin/other');
    expect(left).toContain('app/data/unused');
    expect(left).toContain('app/top');
  });

  test('relative names count from the working directory of the image', async () => {
    const calls = [
      '10 execve("./main", ["./main"], 0x1 /* 0 vars */) = 0',
      '10 open("data/used", O_RDONLY) = 3',
    ];
    const { status, left } = await prune('--trace', traced('r.strace', calls), '--granularity', 'file');
    expect(status).toBe(0);
    expect(left).toContain('app/main');
    expect(left).toContain('app/data/used');
    expect(left).not.toContain('app/data/unused');
  });

  test('explains what stays and what goes', async () => {
    const { stderr } = await prune(
      '--trace',
      traced('a.list', usual),
      '--explain',
      'bin/run',
      '--explain',
      '/app/top',
      '--explain',
      'none',
      '--granularity',
      'file',
    );
    expect(stderr).toMatch(/^bin\/run: script, .*app\/main/m);
    expect(stderr).toMatch(/^app\/main: /m);
    expect(stderr).toContain('app/top: removed, since nothing that ');
    expect(stderr).toContain('none: not in the image');
  });

  test('explains what globs match, on standard output in a dry run, and its own words', async () => {
    const explain = (...patterns: readonly string[]) => [
      `${image}:v1`,
      '--dry-run',
      '--trace',
      traced('b.list', [...usual, '/bin/run']),
      '--progress',
      'none',
      ...patterns.flatMap((pattern) => ['--explain', pattern]),
    ];
    const { stdout, status } = await callCli(['prune', ...explain('bin/*', 'no/**', 'etc/passwd', 'app/[')]);
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    for (const path of ['bin/run', 'bin/helper', 'bin/other', 'etc/passwd'])
      expect(lines.some((line) => line.startsWith(`${path}: `))).toBe(true);
    expect(lines).toContain('no/**: matches nothing in the image');
    expect(lines).toContain('app/[: not in the image');
    expect(stdout).toMatch(/^bin\/helper: package, .*\(whole\)$/m);
    expect(stdout).toMatch(/^# package: With the granularity/m);
    expect(stdout).toMatch(/^# whole: it belongs to a package/m);
    const json = await callCli(['prune', ...explain('bin/run'), '--format', 'json']);
    expect(() => JSON.parse(json.stdout) as unknown).not.toThrow();
  });

  test('explains what rules and presets take, and why the rest stays, also without a trace', async () => {
    const ask = async (...args: readonly string[]) =>
      (await callCli(['prune', `${image}:v1`, '--dry-run', '-q', '--progress', 'none', ...args])).stdout
        .trimEnd()
        .split('\n');
    const rules = ['--rule', 'bin/*', '--rule', '!bin/helper', '--keep', 'bin/run', '--preset', 'docs'];
    const explained = ['bin/*', 'usr/share/doc/run/manual', 'app/top', 'app', 'none'];
    expect(await ask(...rules, ...explained.flatMap((path) => ['--explain', path]))).toEqual([
      'bin/helper: stays: a rule with ! takes it back from --rule "bin/*"',
      'bin/other: removed by --rule "bin/*"',
      'bin/run: stays, for --keep "bin/run" wins over --rule "bin/*"',
      expect.stringMatching(/^usr\/share\/doc\/run\/manual: removed by preset docs "/),
      'app/top: stays: no rule names it',
      'app: stays: no rule names it',
      'none: not in the image',
      expect.stringMatching(/^# preset docs: .+/),
    ]);
    expect(
      await ask('--rule', 'app', '--keep', 'app/main', '--force', '--explain', 'app/**', '--explain', 'app'),
    ).toEqual([
      'app/data: removed by --rule "app"',
      'app/data/unused: removed by --rule "app"',
      'app/data/used: removed by --rule "app"',
      'app/hard: removed by --rule "app"',
      'app/link: removed by --rule "app"',
      'app/main: stays, for --keep "app/main" wins over --rule "app"',
      'app/top: removed by --rule "app"',
      'app: stays although --rule "app" names it: something in it stays',
    ]);
    expect(await ask('--rule', 'app/top', '--layers', '1..2', '--explain', 'app/top')).toEqual([
      'app/top: stays although --rule "app/top" names it: layer 3 was not selected',
    ]);
    expect(await ask('--shadowed', '--explain', 'app/top')).toEqual(['app/top: stays: no rule names it']);
  });

  test('explains that a rule takes what a trace keeps only as part of something', async () => {
    const rules = ['--trace', traced('b.list', [...usual, '/bin/run']), '--rule', 'bin/helper'];
    const args = ['--dry-run', '-q', '--progress', 'none', '--explain', 'bin/helper'];
    const { stdout } = await callCli(['prune', `${image}:v1`, ...args, ...rules]);
    expect(stdout).toMatch(
      /^bin\/helper: package, .*\(whole\)\n(?:.*\n)*bin\/helper: removed by --rule "bin\/helper"\n/,
    );
  });

  test('explains in text that no terminal acts on', async () => {
    const { stderr } = await callCli([
      'prune',
      `${image}:odd`,
      `oci:${join(folder, 'out')}:odd`,
      '--trace',
      traced('odd.list', ['/app/ü']),
      '--explain',
      'bin/run',
      '--progress',
      'none',
    ]);
    expect(stderr).toContain('bin/run: script, the interpreter (#!/bin/run \\x1b[2J), for app/ü\n');
    expect(stderr).not.toContain('\x1b');
  });

  test('keeps what --keep names, with all that it needs, and commands', async () => {
    const { left } = await prune(
      '--trace',
      traced('a.list', usual),
      '--granularity',
      'file',
      '--keep',
      'app/hard',
      '--keep-command',
      '/bin/other --check /app/top',
    );
    for (const path of ['app/hard', 'bin/other', 'app/top']) expect(left).toContain(path);
    expect(left).not.toContain('app/data/unused');
  });

  test('a rule removes what is kept as a courtesy, not what is needed', async () => {
    const { left } = await prune('--trace', traced('a.list', usual), '--rule', 'usr/**', '--rule', 'bin/run');
    expect(left).not.toContain('usr/share/doc/run/copyright');
    expect(left).toContain('bin/run');
  });

  test('names the digest of what it removed', async () => {
    await prune('--trace', traced('a.list', usual), '--granularity', 'file');
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as {
      platforms: { slimming: { removed: { path: string; digest?: string }[] } }[];
    };
    const top = report.platforms[0]?.slimming.removed.find(({ path }) => path === 'app/top');
    expect(top?.digest).toBe('sha256:4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce');
  });

  test('gives the same result with a cache, in the first run and the next', async () => {
    const args = ['--trace', traced('a.list', usual), '--cache-dir', join(folder, 'cache')];
    const plain = await prune(...args.slice(0, 2));
    const [first, second] = [await prune(...args), await prune(...args)];
    expect([first.stdout, second.stdout]).toEqual([plain.stdout, plain.stdout]);
    expect([first.kept, second.kept]).toEqual([plain.kept, plain.kept]);
  });

  test('says which lines of a trace make no sense', async () => {
    const file = traced('noise.strace', [
      '1 execve("/app/main", ["main"], 0x7ffd /* 3 vars */) = 0',
      '1 openat(AT_FDCWD, "/app/link", O_RDONLY) = 3',
      'what is \x1b[31mthis',
    ]);
    const { status, stderr } = await prune('--trace', file);
    expect(status).toBe(0);
    expect(stderr).toContain('1 of 3 lines cannot be read, such as line 3');
    expect(stderr).not.toContain('\x1b');
  });

  test('the report proves what is left', async () => {
    await prune('--trace', traced('a.list', usual));
    const { status, stdout } = await callCli([
      'verify',
      `${image}:v1`,
      `oci:${join(folder, 'out')}:slim`,
      '--removed-by',
      join(folder, 'report.json'),
    ]);
    expect([status, stdout]).toEqual([0, expect.stringContaining('removed as announced')]);
  });

  test('leaves the layers of a base alone, and may squash the others', async () => {
    const { status } = await prune(
      '--trace',
      traced('a.list', usual),
      '--layers',
      '2..3',
      '--squash',
      '--granularity',
      'file',
    );
    expect(status).toBe(0);
    const tar = await callCli(['export', `oci:${join(folder, 'out')}:slim`, join(folder, 'out.tar')]);
    expect(tar.status).toBe(0);
    const names = readFileSync(join(folder, 'out.tar'), 'latin1');
    expect(names).toContain('bin/other');
    expect(names).not.toContain('app/top');
  });

  test('the same plan in a file gives the same image', async () => {
    const trace = traced('a.list', usual);
    const byOptions = await callCli([
      'slim',
      `${image}:v1`,
      `oci:${join(folder, 'plans')}:a`,
      '-q',
      '-f',
      traced('plan.yaml', ['version: 1', `prune: { traces: [${trace}], granularity: file }`]),
    ]);
    const byPlan = await callCli([
      'prune',
      `${image}:v1`,
      `oci:${join(folder, 'plans')}:a`,
      '-q',
      '--trace',
      trace,
      '--granularity',
      'file',
    ]);
    expect([byOptions.status, byOptions.stderr]).toEqual([0, '']);
    expect(byPlan.stdout).toBe(byOptions.stdout);
  });
});

describe('prune --trace refuses', () => {
  const cases: readonly [string, readonly string[], readonly string[], RegExp][] = [
    ['a trace of something else', ['/nowhere/at/all'], [], /none of the 1 paths/],
    ['a trace without the entrypoint', ['/app/top'], [], /entrypoint/],
    ['options without a trace', [], ['--keep-command', 'x'], /--keep-command goes with --trace/],
  ];
  test.each(cases)('the call with %s', async (_, lines, args, message) => {
    const trace = lines.length === 0 ? ['--shadowed'] : ['--trace', traced('b.list', lines)];
    const { status, stderr } = await prune(...trace, ...args);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(message);
  });

  test('an image whose entrypoint is not there; --force prunes, and says so', async () => {
    const args = [
      'prune',
      `${image}:lost`,
      `oci:${join(folder, 'out')}:x`,
      '--trace',
      traced('a.list', usual),
    ];
    const refused = await callCli(args);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('app/none');
    expect(refused.stderr).toContain('UNSAFE');
    expect(refused.stderr).toMatch(/would not run:\n  - .*app\/none.*\n  - .*nobody/);
    const forced = await callCli([...args, '--force']);
    expect(forced.status).toBe(0);
    expect(forced.stderr).toMatch(/may not run: .*app\/none/);
    const strict = await callCli([...args, '--force', '--strict']);
    expect(strict.status).toBe(1);
  });

  test('several platforms, unless one is selected or the trace names one', async () => {
    const to = `oci:${join(folder, 'out')}:multi`;
    const trace = traced('a.list', usual);
    const all = await callCli(['prune', `${image}:both`, to, '--trace', trace]);
    expect(all.status).toBe(2);
    expect(all.stderr).toContain('--platform');
    const one = await callCli(['prune', `${image}:both`, to, '--trace', trace, '--platform', 'linux/arm64']);
    expect(one.status).toBe(0);
    const own = traced('own.trace', [
      '{"ocislim":"trace","version":1,"formats":["list"],"platform":"linux/arm64","knowsExecs":false,"hasAllSyscalls":false}',
      ...usual.map((path) => JSON.stringify({ path: path.slice(1), uses: ['open'] })),
    ]);
    const named = await callCli(['prune', `${image}:both`, to, '--trace', own]);
    expect([named.status, named.stdout]).toEqual([0, one.stdout]);
  });
});
