import { describe, expect, it } from 'vitest';
import { packageScriptsRule } from '../../../src/closure/rules/package-scripts.ts';
import { elf, kept, script, type Setting, symlink, type Table, type Thing, wanting } from '../rig.ts';

const program: Thing = elf({}, { mode: 0o755 });
const granularity = 'package';

const image: Table = {
  'bin/sh': program,
  'usr/bin/cat': program,
  'usr/bin/tar': program,
  'usr/bin/git': program,
  'usr/local/bin/npm': program,
  'app/package.json': JSON.stringify({
    scripts: {
      prestart: 'cat x',
      start: 'cross-env A=b next start',
      serve: 'tar c && node dist/main',
      all: 'npm run serve && yarn start',
      each: 'run-s serve fetch',
      fetch: 'git pull',
      again: 'npm run again',
      other: 'npm --prefix ../lib run build',
    },
  }),
  'app/node_modules/.bin/next': symlink('../next/cli.js'),
  'app/node_modules/.bin/cross-env': symlink('../cross-env/cli.js'),
  'app/node_modules/next/cli.js': 'x',
  'app/node_modules/cross-env/cli.js': 'x',
  'app/dist/main.js': 'x',
  'lib/package.json': '{"scripts":{"build":"git gc"}}',
  'app/part/package.json': '{"scripts":{"start":"next build"}}',
};

async function keptBy(runtime: NonNullable<Setting['runtime']>, setting: Partial<Setting> = {}) {
  const trace = { 'bin/sh': 'exec' };
  const all = {
    image,
    granularity,
    trace,
    runtime: { workingDirectory: '/app', ...runtime },
    ...setting,
  } as const;
  return kept(all, [packageScriptsRule]);
}

/** Returns what an entrypoint keeps that is a script of a shell with this text. */
async function keptByShell(text: string) {
  const all = {
    image: { ...image, 'entry.sh': script('/bin/sh', text) },
    granularity,
    trace: { 'entry.sh': 'exec' },
    runtime: { entrypoint: ['/entry.sh'], workingDirectory: '/app' },
  } as const;
  return kept(all, [wanting('entry.sh'), packageScriptsRule]);
}

const next = ['app/node_modules/.bin/next', 'app/node_modules/next/cli.js'];
const start = [
  'app/node_modules/.bin/cross-env',
  'app/node_modules/.bin/next',
  'app/node_modules/cross-env/cli.js',
  'app/node_modules/next/cli.js',
  'usr/bin/cat',
];
const serve = ['app/dist/main.js', 'usr/bin/tar'];

describe('a script of package.json', () => {
  it.each<readonly [command: readonly string[], files: readonly string[]]>([
    [['npm', 'start'], start],
    [['npm', '--silent', 'run', 'serve', '--', '--port', '80'], serve],
    [['npm', 'run-script', 'fetch'], ['usr/bin/git']],
    [['yarn', 'serve'], serve],
    [['yarn', 'run', 'serve'], serve],
    [['pnpm', 'serve'], serve],
    [['pnpm', '--filter', 'x', 'run', 'serve'], serve],
    [['/usr/bin/corepack', 'pnpm', 'start'], start],
    [['node', '/usr/lib/node_modules/npm/bin/npm-cli.js', 'start'], start],
    [['tini', '--', 'npm', 'start'], start],
    [['sh', '-c', 'cat x; npm start'], start],
    [['sh', '-c', 'cd part && npm start'], next],
    [['npm', '--prefix', 'part', 'start'], next],
    [['npm', '--prefix=/app/part', 'start'], next],
    [['npx', 'next', 'start'], next],
    [['pnpm', 'exec', 'next'], next],
    [['yarn', 'next', 'dev'], next],
    [
      ['npm', 'run', 'all'],
      [...start, ...serve],
    ],
    [
      ['npm', 'run', 'each'],
      [...serve, 'usr/bin/git'],
    ],
    [['npm', 'run', 'other'], ['usr/bin/git']],
    [['npm', 'run', 'again'], []],
    [['npm', 'ci'], []],
    [['npm'], []],
    [['yarn'], []],
    [['npm', 'run', 'toString'], []],
    [['node', 'start'], []],
  ])('that the command %j runs keeps its programs', async (command, files) => {
    const wanted = [...new Set(files)].sort();
    const found = await keptBy({ command });
    // The programs of the words themselves stay, too: npm and the shell.
    expect(found.filter((path) => !/^(?:bin\/sh|usr\/local\/bin\/npm)$/.test(path))).toEqual(wanted);
    expect(await keptBy({ command }, { granularity: 'file' })).toEqual([]);
  });

  it('that an entrypoint script gets as its command keeps its programs', async () => {
    const runtime = { entrypoint: ['docker-entrypoint.sh'], command: ['npm', 'start'] };
    expect(await keptBy(runtime)).toEqual(start);
  });

  it('that a health check or a kept command runs keeps its programs', async () => {
    expect(await keptBy({ healthcheck: ['CMD-SHELL', 'npm run fetch || exit 1'] })).toContain('usr/bin/git');
    expect(await keptBy({}, { keepCommands: [['npm', 'run', 'fetch']] })).toEqual(['usr/bin/git']);
  });

  it.each([
    ['another script that goes elsewhere', '/app', 'npm start', 'npm run build && npm run serve'],
    ['a subshell that goes elsewhere', '/app', 'npm start', '(cd client && npm run bundle); npm run serve'],
    ['subshells in one another', '/app', 'npm start', '(cd client; (cd x; cd y)); npm run serve'],
    ['the end of a pattern of case', '/app', 'npm start', 'case x in x) npm run serve;; esac'],
    ['a script in the folder of --prefix', '/', 'npm --prefix /app start', 'npm run serve'],
    [
      'a script in the folder of --prefix, from there',
      '/',
      'npm --prefix app start',
      'npm run build; npm run serve',
    ],
  ])('runs other scripts in its own folder: behind %s', async (_where, workingDirectory, command, text) => {
    const scripts = { start: text, build: 'cd client && npm run bundle', serve: '/app/tools/serve --x' };
    const files = await keptBy(
      { command: command.split(' '), workingDirectory },
      {
        image: {
          'bin/sh': program,
          'app/package.json': JSON.stringify({ scripts }),
          'app/client/package.json': '{"scripts":{"bundle":"/app/tools/bundle"}}',
          'app/tools/serve': program,
          'app/tools/bundle': program,
        },
      },
    );
    expect(files).toContain('app/tools/serve');
    expect(files.includes('app/tools/bundle')).toBe(/bundle|build/.test(text));
  });

  it('goes elsewhere for the commands behind it in the same text', async () => {
    const scripts = { start: 'cd part && npm run tell' };
    const files = await keptBy(
      { command: ['npm', 'start'] },
      {
        image: {
          'bin/sh': program,
          'app/package.json': JSON.stringify({ scripts }),
          'app/part/package.json': '{"scripts":{"tell":"/app/tell"}}',
          'app/tell': program,
        },
      },
    );
    expect(files).toContain('app/tell');
  });

  it('that a needed script of a shell runs behind a subshell of several lines keeps its programs', async () => {
    const files = await keptByShell('\n(\n  cd part\n  npm start\n)\nnpm run fetch\n');
    expect(files).toEqual(expect.arrayContaining([...next, 'usr/bin/git']));
  });

  it('that a needed script of a shell runs keeps its programs', async () => {
    const files = await keptByShell('\n# npm run fetch\nset -e\nexec npm run serve "$@"\n');
    expect(files.filter((path) => /^usr\/(?!local)|dist/.test(path))).toEqual(serve);
  });
});
