import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { tar } from '../jobs/rig.ts';

let folder = '';
const body = new TextEncoder().encode(
  Array.from({ length: 5000 }, (_, i) => `${(i * 7919) % 1009} words of ${i % 97};`).join('\n'),
);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-tuned-'));
  const layers = [
    tar({ name: 'text', body }, 'gone=1'),
    tar({ name: 'more', body: body.subarray(9) }, '.wh.gone'),
  ];
  await writeLayout(join(folder, 'source'), { '1': buildImage({ layers }) });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  const result = await runCli(
    args.map((arg) => arg.replace('SRC', `oci:${folder}/source:1`).replace('DST', `oci:${folder}/result:1`)),
  );
  expect(result.status, result.stderr).toBe(0);
  return result;
}

interface Reported {
  readonly platforms: readonly {
    readonly layers: readonly {
      readonly tuning?: { readonly chosen: { readonly compression: string; readonly level: number | null } };
    }[];
  }[];
}

function chosenIn(json: string): { readonly compression: string; readonly level: number | null }[] {
  const report = JSON.parse(json) as Reported;
  return report.platforms.flatMap(({ layers }) => layers.flatMap(({ tuning }) => tuning?.chosen ?? []));
}

test('a dry run says what the run chooses, and the plan in its report chooses it again', async () => {
  const markdown = join(folder, 'report.md');
  const dry = await run('recompress', 'SRC', '--dry-run', '--tune', 'pull:1Mbit', '--format', 'json');
  expect(dry.stderr).toMatch(/tuned: pull at 1 Mbit\/s\n {4}layer 1: zstd \d+ \(/);
  const wet = await run(
    'recompress',
    'SRC',
    'DST',
    '--tune',
    'pull:1Mbit',
    '--format',
    'json',
    '--report',
    markdown,
  );
  expect(chosenIn(wet.stdout)).toEqual(chosenIn(dry.stdout));
  expect(chosenIn(wet.stdout).map(({ compression }) => compression)).toEqual(['zstd', 'zstd']);
  const [, plan] = /```yaml\n([\s\S]*?)```/.exec(await readFile(markdown, 'utf8')) ?? [];
  const file = join(folder, 'plan.yaml');
  await writeFile(file, plan ?? '');
  const again = await run('slim', 'SRC', 'DST', '-f', file);
  const { destination } = JSON.parse(wet.stdout) as { destination: { digest: string } };
  expect(again.stdout).toContain(`@${destination.digest}`);
});

test('every command that packs can be tuned', async () => {
  const file = join(folder, 'tuned.yaml');
  await writeFile(file, 'version: 1\nsquash: { all: true }\nrecompress:\n  tune: small\n  budget: 1m\n');
  for (const args of [
    [
      'squash',
      'SRC',
      'DST',
      '--all',
      '--tune',
      'pull:50MB',
      '--compression',
      'gzip',
      '--gzip-engine',
      'zlib',
    ],
    ['prune', 'SRC', 'DST', '--shadowed', '--rule', 'more', '--budget', '30s'],
    ['slim', 'SRC', 'DST', '--tune', 'pull:1Gbit'],
    ['slim', 'SRC', 'DST', '-f', file],
    ['recompress', 'SRC', 'DST', '--compression', 'zstd', '--tune', 'balanced', '--budget', '10s'],
  ]) {
    const { stdout, stderr } = await run(...args, '--format', 'json');
    expect(chosenIn(stdout).length, args.join(' ')).toBeGreaterThan(0);
    expect(stderr, args.join(' ')).toMatch(/tuned: (?:pull at|small|balanced)/);
    expect(/^budget of/m.test(stderr), args.join(' ')).toBe(
      !args.includes('--tune') || args.includes('--budget'),
    );
  }
});

test('a goal without a budget is a level', async () => {
  const levels = async (...args: string[]) => {
    const { stdout } = await run('recompress', 'SRC', 'DST', ...args, '--format', 'json');
    return (JSON.parse(stdout) as { encoders: { name: string; level: number }[] }).encoders.map(
      ({ name, level }) => `${name} ${level}`,
    );
  };
  expect(await levels('--tune', 'fast', '--compression', 'zstd')).toEqual(['zstd 3']);
  expect(await levels('--tune', 'small', '--compression', 'zstd')).toEqual(['zstd 19']);
  expect(await levels('--tune', 'small')).toEqual(['libdeflate-joined 10']);
  expect(await levels('--tune', 'small', '--gzip-engine', 'zlib', '--compression', 'gzip')).toEqual([
    'zlib 9',
  ]);
});

test('--min-savings counts without --compression', async () => {
  const { stderr } = await run('recompress', 'SRC', 'DST', '--min-savings', '90%');
  expect(stderr).toContain('nothing to change: copied as it is, byte for byte');
});
