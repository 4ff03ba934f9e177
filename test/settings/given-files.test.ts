import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { defaultLimits } from '../../src/limits.ts';
import { createCredentialLookup } from '../../src/registry/auth/credentials.ts';
import { readKeepFiles, readRuleFiles } from '../../src/settings/rule-files.ts';
import { callCli } from '../support/cli.ts';
import { sample } from '../support/extent.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

// Millions of lines take their time on a busy machine.
vi.setConfig({ testTimeout: 600_000 });

const work = mkdtempSync(join(tmpdir(), 'ocislim-given-files-'));
const door = { limits: defaultLimits, signal: new AbortController().signal };
const million = 1_000_000;

beforeAll(async () => {
  const tar = writeTar([specOf('usr/lib/kept=1'), specOf('usr/lib/gone=1')]);
  await writeLayout(join(work, 'layout'), { app: buildImage({ layers: [tar] }) });
});
afterAll(() => rmSync(work, { recursive: true }));

/** Writes a file of `count` lines, and returns its path. */
async function fileOf(count: number, line: (i: number) => string): Promise<string> {
  const path = join(work, `lines-${count}`);
  await pipeline(
    Readable.from(
      (function* () {
        for (let i = 0; i < count; i += 1000) {
          let part = '';
          for (let k = i; k < Math.min(count, i + 1000); k++) part += `${line(k)}\n`;
          yield part;
        }
      })(),
    ),
    createWriteStream(path),
  );
  return path;
}

const readers = [
  ['--rules', 'rule file', readRuleFiles],
  ['--keep-file', 'keep file', readKeepFiles],
] as const;

describe.each(readers)('a file of %s', (_, what, read) => {
  test('with 4,000,000 lines that say something is refused before any is parsed', async () => {
    // The first line is not a rule: if it were parsed, it would be the error.
    const file = await fileOf(4 * million, (i) => (i === 0 ? '[' : `a${i}`));
    await expect(read([file], '', door)).rejects.toMatchObject({
      code: 'LIMIT',
      message: `the ${what} ${JSON.stringify(file)}: it holds 4000000, and the limit rules is 1000000`,
      advice: expect.stringContaining('--limit rules=4000000') as unknown,
    });
  });

  test('with 4,000,000 comments and blank lines has the rules between them, each with its line', async () => {
    const file = await fileOf(4 * million, (i) => (i % 2 === 0 ? '#' : i === 3_999_999 ? 'last' : ' \t'));
    const [rule, ...others] = await read([file], '', door);
    expect(others).toEqual([]);
    expect(rule).toEqual(
      what === 'keep file' ? 'last' : { text: 'last', origin: `${file}:4000000`, negated: false },
    );
  });

  test('with one line of 100 MB is refused unread', async () => {
    const file = join(work, 'one-line');
    await writeFile(file, Buffer.alloc(100_000_000, 'x'));
    await expect(read([file], '', door)).rejects.toMatchObject({
      code: 'LIMIT',
      message: expect.stringContaining(
        'it has 100000000 bytes, and the limit rule-bytes is 64MiB',
      ) as unknown,
    });
  });

  test('with a line that is longer than a path can be is refused with its line', async () => {
    const file = join(work, 'long-line');
    await writeFile(file, `a\n${'x'.repeat(5000)}\n`);
    await expect(read([file], '', door)).rejects.toThrow(
      `${file}:2: the rule is longer than 4096 characters`,
    );
  });

  test('counts with the others: their rules and their bytes are limited together', async () => {
    const [one, two] = [join(work, 'one'), join(work, 'two')];
    await writeFile(one, 'a\nb\n');
    await writeFile(two, 'c\nd\n');
    const within = (name: string, value: number) => ({
      ...door,
      limits: { ...defaultLimits, [name]: value },
    });
    expect(await read([one, two], '', within('rules', 4))).toHaveLength(4);
    expect(await read([one, two], '', within('rule-bytes', 8))).toHaveLength(4);
    await expect(read([one, two], '', within('rules', 3))).rejects.toThrow(
      /the 2 (?:rule|keep) files: they hold 4, and the limit rules is 3/,
    );
    await expect(read([one, two], '', within('rule-bytes', 7))).rejects.toThrow(
      `${JSON.stringify(two)}: it has 4 bytes beside 4 of other files, and the limit rule-bytes is 7 bytes`,
    );
  });
});

const manyRules = [
  ['literal', (i: number) => `usr/share/n${i}`],
  ['with wildcards', (i: number) => `**/n${i}-*.so`],
  ['all alike', () => 'usr/*/gone'],
] as const;
test.each(sample(manyRules, 3))(
  '150,000 rules that are %s, and as many to keep, do their work',
  async (_, line) => {
    const rules = await fileOf(150_000, line);
    const keep = await fileOf(150_001, (i) => (i === 0 ? 'usr/lib/kept' : `usr/share/${i}/*`));
    const args = ['prune', `oci:${work}/layout:app`, `oci:${work}/out:app`, '--rules', rules];
    const result = await callCli([...args, '--rule', 'usr/lib/*', '--keep-file', keep, '-v']);
    expect(result.status, result.stderr.slice(0, 2000)).toBe(0);
    const { stdout } = await callCli(['export', `oci:${work}/out:app`, '-']);
    expect(stdout).toContain('kept');
    expect(stdout).not.toContain('gone');
    // Rules without a match are named one by one, but not a million of them.
    expect(result.stderr.match(/match(?:es)? nothing/g)?.length ?? 0).toBeLessThan(22);
  },
);

describe('each limit on a file that an option names', () => {
  const pruning = ['prune', 'SRC', 'DST', '--rule', 'x'];
  const json = `["${'/a'.repeat(70_000)}"]`;
  test.each([
    ['rules', '--rules', { text: 'a\nb\n', line: [...pruning, '--rules', 'FILE'] }],
    ['rules', '--keep-file', { text: 'a\nb\n', line: [...pruning, '--keep-file', 'FILE'] }],
    ['rule-bytes', '--rules', { text: 'a\nb\n', line: [...pruning, '--rules', 'FILE'] }],
    ['rule-bytes', '--keep-file', { text: '# comment', line: [...pruning, '--keep-file', 'FILE'] }],
    ['plan-bytes', '-f', { text: 'version: 1\n', line: ['slim', 'SRC', 'DST', '-f', 'FILE'] }],
    ['report-bytes', '--removed-by', { text: '{}', line: ['verify', 'SRC', 'SRC', '--removed-by', 'FILE'] }],
    ['findings-bytes', '--findings', { text: '{}', line: [...pruning, '--findings', 'FILE'] }],
    ['trace-paths', '--trace', { text: '/a\n/b\n', line: [...pruning, '--trace', 'FILE'] }],
    ['trace-bytes', 'trace show', { text: json, line: ['trace', 'show', 'FILE'] }],
    ['trace-paths', 'trace merge', { text: '/a\n/b\n', line: ['trace', 'merge', 'FILE'] }],
  ])(
    '%s of %s is named in the error, with what was seen and how to raise it',
    async (name, _, { text, line }) => {
      const file = join(work, 'given');
      await writeFile(file, text);
      const words = { FILE: file, SRC: `oci:${work}/layout:app`, DST: `oci:${work}/never:app` };
      const args = line.map((word) => words[word as keyof typeof words] ?? word);
      const { status, stderr } = await callCli([...args, '--limit', `${name}=1`]);
      expect(stderr).toMatch(new RegExp(`given.*: .* and the limit ${name} is 1(?: bytes)? \\[LIMIT\\]`));
      expect(stderr).toMatch(new RegExp(`--limit ${name}=(?:[2-9]|[1-9][0-9]+(?:KiB)?) `));
      expect(status).toBe(1);
    },
  );

  test.each([
    ['certificate-bytes', ['--client-p12', 'FILE']],
    ['certificate-bytes', ['--cert-dir', 'FOLDER']],
  ])('%s bounds %j', async (name, options) => {
    const folder = join(work, 'certs');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'ca.crt'), '12345');
    const words = { FILE: join(folder, 'ca.crt'), FOLDER: folder };
    const line = options.map((word) => words[word as keyof typeof words] ?? word);
    const { status, stderr } = await callCli([
      'copy',
      '127.0.0.1:9/app:v1',
      `oci:${work}/never:app`,
      ...line,
      '--retry-times',
      '0',
      '--limit',
      `${name}=1`,
    ]);
    expect(stderr).toContain(`ca.crt: it has 5 bytes, and the limit ${name} is 1 bytes [LIMIT]`);
    expect(status).toBe(1);
  });
});

test('credential-bytes bounds files of credentials', async () => {
  const authfile = join(work, 'auth.json');
  await writeFile(authfile, '{}');
  const limits = { 'credential-bytes': 1 };
  const lookUp = createCredentialLookup({ creds: null, authfile, env: {}, home: null, limits });
  await expect(lookUp('registry.example', 'app', door.signal)).rejects.toMatchObject({
    code: 'LIMIT',
    message: `${authfile}: it has 2 bytes, and the limit credential-bytes is 1 bytes`,
  });
});

describe('a hostile plan is refused, or read, in linear time', () => {
  const list = (count: number, item: string): string => `${item},`.repeat(count);
  test.each([
    ['a million entries', `prune: {rules: [${list(million, 'a')}]}`, 'the limit plan-bytes is 1MiB'],
    ['aliases of aliases', bomb(), 'Excessive alias count'],
    ['300,000 aliases of a word', `prune: {rules: [&a x, ${list(300_000, '*a')}]}`, 'more than 1000 aliases'],
    ['an alias before its anchor', 'prune: {rules: [*a, &a x]}', 'unresolved alias *a'],
    ['80,000 unknown keys', keys(80_000), 'prune.k0: there is no such key'],
    [
      '80,000 keys, one twice',
      `${keys(80_000)}  k7: 2\n`,
      'plan.yaml:80003: keys must be unique, and k7 is given twice',
    ],
    ['lists in lists', `prune: ${'['.repeat(400_000)}`, 'too deep to be read'],
    ['250,000 documents', '---\n'.repeat(250_000), 'multiple documents'],
    ['250,000 comments', '# x\n'.repeat(250_000), 'the plan is empty'],
    ['a word of a megabyte', 'x'.repeat(million), 'expected object'],
  ])('a plan of %s', async (_, plan, message) => {
    const file = join(work, 'plan.yaml');
    await writeFile(file, plan.startsWith('prune') ? `version: 1\n${plan}` : plan);
    const { status, stderr } = await callCli([
      'slim',
      `oci:${work}/layout:app`,
      `oci:${work}/x:app`,
      '-f',
      file,
    ]);
    expect(stderr).toContain(message);
    expect(stderr.length).toBeLessThan(1000);
    expect(status).not.toBe(0);
  });
});

function keys(count: number): string {
  return `prune:\n${Array.from({ length: count }, (_, i) => `  k${i}: 1\n`).join('')}`;
}

/** Ten lists of nine aliases each: nine thousand million words. */
function bomb(): string {
  const names = 'abcdefghij'.split('');
  const rows = names.map((name, i) => `${name}: &${name} [${list(9, i === 0 ? 'x' : `*${names[i - 1]}`)}]\n`);
  return rows.join('');
  function list(count: number, item: string): string {
    return `${item},`.repeat(count);
  }
}
