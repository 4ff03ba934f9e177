import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { diff } from '../../src/commands/index.ts';
import { diffSchema } from '../../src/report/diff/schema.ts';
import { callCli } from '../support/cli.ts';
import { expectHarmless, nastyName } from '../support/hostile-text.ts';
import { buildImage } from '../support/image-builder.ts';
import { utf8 } from '../support/model/byte-string.ts';
import { specOf, tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const file = (name: string, mtime: string, body = 'same') => ({ ...specOf(`${name}=${body}`), mtime });

/** An image with variables, which its history repeats. */
const secretImage = (env: readonly string[]) =>
  buildImage({
    layers: [tar('x')],
    config: {
      config: { Env: env },
      container_config: { Env: env, Cmd: ['/bin/sh', '-c', `#(nop) ENV ${env[0]}`] },
      history: [
        ...env.map((text) => ({ created_by: `/bin/sh -c #(nop)  ENV ${text}`, empty_layer: true })),
        { created_by: `RUN |1 ${env[0]} /bin/sh -c make` },
      ],
    },
  });

const scene = openScene(() => ({
  one: buildImage({ layers: [tar(file('etc/app.conf', '1'), file('usr/bin/app', '1', 'old'), 'gone')] }),
  two: buildImage({ layers: [tar(file('etc/app.conf', '1'), file('usr/bin/app', '2', 'newer'))] }),
  later: buildImage({ layers: [tar(file('etc/app.conf', '5'), file('usr/bin/app', '5', 'old'), 'gone')] }),
  secret: secretImage([
    'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI',
    'DB=postgres://me:hunter2hunter2@db/x',
    'URL=http://one',
  ]),
  rotated: secretImage(['AWS_SECRET_ACCESS_KEY=K7MDENGbPxRfi', 'PASSWORD=s3cr3t', 'URL=http://two']),
  twice: secretImage(['AWS_SECRET_ACCESS_KEY=K7MDENGbPxRfi', 'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI']),
  bare: buildImage({ layers: [tar('x')], config: { config: undefined } }),
  hostile: buildImage({ layers: [tar(file(utf8(nastyName), '1'))] }),
}));

/** Runs a comparison of two tags, and returns the last line with the status. */
async function verdictOf(a: string, b: string, ...options: string[]): Promise<string> {
  const { status, stdout } = await callCli(['diff', scene.at(a), scene.at(b), ...options]);
  return `${status} ${stdout.trimEnd().split('\n').at(-1)}`
    .replaceAll(scene.at(a), 'A')
    .replaceAll(scene.at(b), 'B');
}

describe('the verdict', () => {
  test('is the last line, and decides about the status where that is asked for', async () => {
    expect(await verdictOf('one', 'two')).toBe('0 B differs from A in files, contents and mtime');
    expect(await verdictOf('one', 'two', '--exit-code')).toMatch(/^3 B differs/);
    expect(await verdictOf('one', 'one', '--exit-code')).toBe('0 A is identical to A');
  });

  test('says what was ignored', async () => {
    expect(await verdictOf('one', 'later', '--ignore', 'mtime,order', '--exit-code')).toBe(
      '0 B is identical to A but for mtime',
    );
    expect(await verdictOf('one', 'two', '--ignore', 'mtime', '--exit-code')).toBe(
      '3 B differs from A in files and contents (ignored: mtime)',
    );
  });

  test('is about the paths that were selected', async () => {
    expect(await verdictOf('one', 'two', '--path', 'etc/**', '--exit-code')).toBe(
      '0 B is identical to A in etc/**',
    );
    expect(await verdictOf('one', 'two', '--path', 'usr', '--exit-code')).toBe(
      '3 B differs from A in contents and mtime in usr',
    );
    expect(
      await verdictOf('one', 'two', '--path', '**', '--path', '!usr/**', '--path', '!gone', '--exit-code'),
    ).toMatch(/^0 /);
  });
});

test('JSON follows the schema; reports and -o go to files', async () => {
  const [a, b] = [scene.at('one'), scene.at('two')];
  const [json, markdown, output] = [scene.path('diff.json'), scene.path('diff.md'), scene.path('diff.txt')];
  const { stdout } = await scene.run('diff', a, b, '--report', json, '--report', markdown, '-o', output);
  expect(stdout).toBe('');
  expect(await readFile(output, 'utf8')).toMatch(/differs from .*\n$/);
  expect(await readFile(markdown, 'utf8')).toMatch(/^## /);
  const document = diffSchema.parse(JSON.parse(await readFile(json, 'utf8')));
  expect(document.platforms[0]?.files?.map(({ path, change }) => `${change} ${path}`)).toEqual([
    'removed gone',
    'changed usr/bin/app',
  ]);
  const printed = await scene.run('diff', a, b, '--format', 'json');
  expect(diffSchema.parse(JSON.parse(printed.stdout))).toEqual(document);
});

test('--layers lists the entries of layers that differ', async () => {
  const { stdout } = await scene.run('diff', scene.at('one'), scene.at('two'), '--layers');
  expect(stdout).toMatch(
    /Entries of layer 1 of A and 1 of B: 2 differences\n +~ +file +\/usr\/bin\/app .*content/,
  );
});

test('a file that cannot be a report, or is the image, is refused before any work', async () => {
  const [a, b] = [scene.at('one'), scene.at('two')];
  const wrong = await callCli(['diff', a, b, '--report', scene.path('x.txt')]);
  expect([wrong.status, wrong.stderr]).toEqual([
    2,
    expect.stringContaining('the name must end in .json or .md'),
  ]);
  const archive = scene.path('b.tar');
  await scene.run('copy', b, `oci-archive:${archive}:two`);
  const over = await callCli(['diff', a, `oci-archive:${archive}:two`, '-o', archive]);
  expect([over.status, over.stderr]).toEqual([2, expect.stringContaining('name another file')]);
  const place = await callCli(['diff', a, `oci-archive:${archive}:two`]);
  expect(place.status).toBe(0);
});

test.each([
  ['--ignore time', 'Did you mean mtime?'],
  ['--ignore histroy', 'Did you mean history?'],
  ['--ignore everything', 'takes mtime, mode, owner'],
  ['--semantic', 'Write --ignore mtime,order,pax,layers,history,created.'],
  ['--type=file', 'Leave it out'],
  ['--format md', 'Write markdown.'],
])('a word of another tool gets advice: %s', async (words, advice) => {
  const { status, stderr } = await callCli(['diff', scene.at('one'), scene.at('two'), ...words.split(' ')]);
  expect([status, stderr]).toEqual([2, expect.stringContaining(advice)]);
});

test('hostile names are harmless in every format', async () => {
  for (const format of ['text', 'json', 'markdown']) {
    const { stdout } = await scene.run(
      'diff',
      scene.at('one'),
      scene.at('hostile'),
      '--format',
      format,
      '--layers',
    );
    expect(stdout).toContain('mark');
    expectHarmless(stdout, format);
  }
});

describe('secrets', () => {
  const values = ['wJalrXUtnFEMI', 'K7MDENGbPxRfi', 'hunter2hunter2', 's3cr3t'];

  test.each(['text', 'json', 'markdown', 'html'])(
    'no value of a secret variable is shown, as %s',
    async (kind) => {
      for (const [a, b] of [
        ['secret', 'rotated'],
        ['rotated', 'bare'],
        ['secret', 'twice'],
      ] as const) {
        const report = scene.path(`secrets-${a}-${b}.html`);
        const options = kind === 'html' ? ['--report', report] : ['--format', kind];
        const { stdout } = await scene.run('diff', scene.at(a), scene.at(b), '--layers', ...options);
        const shown = kind === 'html' ? await readFile(report, 'utf8') : stdout;
        expect(values.filter((value) => shown.includes(value))).toEqual([]);
        expect(shown).toContain('(hidden');
        expect(shown).toContain('AWS_SECRET_ACCESS_KEY');
      }
    },
  );

  test('differ all the same, and other variables are shown', async () => {
    const { stdout } = await scene.run('diff', scene.at('secret'), scene.at('rotated'));
    expect(stdout).toMatch(
      /config\.Env\.AWS_SECRET_ACCESS_KEY +"\(hidden\)" → "\(hidden, another value\)"\n/,
    );
    expect(stdout).toMatch(/config\.Env\.URL +"http:\/\/one" → "http:\/\/two"\n/);
    expect(await verdictOf('secret', 'rotated')).toBe('0 B differs from A in history, config and env');
  });
});

test('a program gets the comparison as data', async () => {
  const found = await diff(scene.at('one'), scene.at('later'), { ignore: ['mtime'] });
  expect(found.verdict).toEqual({ kind: 'identical-but', butFor: ['mtime'], differIn: [] });
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});
