import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { expectHarmless } from '../support/hostile-text.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { utf8 } from '../support/model/byte-string.ts';
import { tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

type Texts = readonly (readonly [name: string, before: string | null, after: string | null])[];

const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}\n`).join('');

/** Files that are hard to patch, with their texts. */
const texts: Texts = [
  ['tabs', 'all:\n\tcc -o a\n\n\n', 'all:\n\tcc\t-o b\n\n\n'],
  ['crlf', 'one\r\ntwo\r\nthree\r\n', 'one\r\n2\r\nthree\r\n'],
  ['mixed', 'one\r\ntwo\nthree\r', 'one\ntwo\r\nthree\r'],
  ['escape', '\u001b[31mred\u001b[0m\nb\n', '\u001b[32mgreen\u001b[0m\nb\n'],
  ['commands', '::set-output name=a::b\n##[error]\nb\n', '::set-output name=a::b\n##[error]\nc\n'],
  ['marks', 'a\u202eb\u2028c\n\ufeffd\n', 'a\u202eb\u2028d\n\ufeffd\n'],
  ['open', 'one\ntwo', 'one\n2'],
  ['opened', 'one\ntwo\n', 'one\ntwo'],
  ['closed', 'one\ntwo', 'one\ntwo\n'],
  ['blank', 'one\n\n\n', 'two\n\n\n'],
  ['emptied', 'one\n', ''],
  ['filled', '', 'one\n'],
  ['long', lines(50), lines(50).replace('line 7\n', '').replace('line 40', 'line forty')],
  ['--- a', '-- x\n++ y\n', '-- y\n++ x\n'],
  ['with space/and more', '1\n', '2\n'],
  ['quote"d', '1\n', '2\n'],
  ["apostrophe'd", '1\n', '2\n'],
  ['back\\slash', '1\n', '2\n'],
  ['t\tab', '1\n', '2\n'],
  ['größe 1', '1\n', '2\n'],
  ['new/one', null, 'a\tb\r\n\n'],
  ['new/with space', null, 'open'],
  ['new/many', null, lines(5000)],
  ['gone', 'a\r\n\n', null],
  ['gone with "quotes"', 'open', null],
];

const imageOf = (side: 1 | 2) =>
  buildImage({
    layers: [
      tar(
        ...texts.flatMap((text) => {
          const body = text[side];
          return body === null ? [] : [{ name: utf8(text[0]), body: new TextEncoder().encode(body) }];
        }),
      ),
    ],
  });
const platformOf = (architecture: string, body: string) =>
  buildImage({ layers: [tar(`f=${body}`)], platform: { os: 'linux', architecture } });

const scene = openScene(() => ({
  before: imageOf(1),
  after: imageOf(2),
  manyBefore: buildIndex({ images: [platformOf('amd64', '1'), platformOf('arm64', '2')] }),
  manyAfter: buildIndex({ images: [platformOf('amd64', '3'), platformOf('arm64', '4')] }),
}));

/** Writes the files of A to a folder, and patches them. Returns what they hold then. */
async function patched(folder: string, program: string, args: readonly string[]) {
  const root = scene.path(folder);
  await mkdir(root);
  for (const [name, before] of texts) {
    if (before === null) continue;
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), before);
  }
  const file = scene.path(`${folder}.patch`);
  await scene.run('diff', scene.at('before'), scene.at('after'), '--format', 'patch', '-o', file);
  // Git must not find a repository of the developer around the folder.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(root), GIT_CONFIG_GLOBAL: '/dev/null' };
  execFileSync(program, [...args, file], { cwd: root, env, stdio: 'pipe' });
  return Promise.all(
    texts.map(async ([name]) => [name, await readFile(join(root, name), 'utf8').catch(() => null)] as const),
  );
}

describe('--format patch', () => {
  test.each([
    ['git', 'apply'],
    ['patch', '-p1 -i'],
    ['patch', '-p1 --binary -i'],
  ])('makes the texts of B of those of A, byte by byte: %s %s', async (program, args) => {
    expect(await patched(`${program} ${args}`, program, args.split(' '))).toEqual(
      texts.map(([name, , after]) => [name, after]),
    );
  });

  test('is what a report in a file of that kind holds, whatever is printed', async () => {
    const [a, b] = [scene.at('before'), scene.at('after')];
    const report = scene.path('report.patch');
    await scene.run('diff', a, b, '--report', report);
    const { stdout } = await scene.run('diff', a, b, '--format', 'patch');
    expect(stdout).toContain('\u001b[32mgreen');
    expect(await readFile(report, 'utf8')).toBe(stdout);
  });

  test('is escaped where a terminal shows it', async () => {
    const before = process.stdout.isTTY;
    process.stdout.isTTY = true;
    try {
      const { stdout } = await scene.run('diff', scene.at('before'), scene.at('after'), '--format', 'patch');
      expectHarmless(stdout, 'a terminal');
      expect(stdout).toContain('+\\x1b[32mgreen');
      expect(stdout).toContain('+\tcc\t-o b\n');
    } finally {
      process.stdout.isTTY = before;
    }
  });

  test('of several platforms is refused: they are about the same names', async () => {
    const args = ['diff', scene.at('manyBefore'), scene.at('manyAfter'), '--format', 'patch'];
    const { status, stderr } = await callCli(args);
    expect([status, stderr]).toEqual([2, expect.stringContaining('--platform linux/amd64')]);
    const { stdout } = await scene.run(...args, '--platform', 'linux/arm64');
    expect(stdout).toMatch(/-2\n[^]*\+4\n/);
  });
});
