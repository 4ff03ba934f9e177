/**
 * Files that a program needs only now and then: `slim --record` keeps them, or says what the pruned image lacks and publishes nothing.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ocislim } from '../../support/e2e/cli.ts';
import { buildFaults } from '../../support/e2e/faults.ts';
import { pull, unpack } from '../../support/e2e/judge.ts';
import { removeFolder, workFolder } from '../../support/e2e/programs.ts';
import { sample } from '../../support/extent.ts';

let work: string;

beforeAll(async () => {
  work = workFolder('faults');
  await buildFaults(work);
});
afterAll(() => removeFolder(work));

/** Runs `slim --record` on the program in one of its modes. */
async function slim(name: string, mode: string, ...options: readonly string[]) {
  const state = join(work, `${name}-state`);
  const target = join(work, `${name}-slim`);
  mkdirSync(state);
  const args = ['--record', `--run-env=FAULT=${mode}`, `--run-mount=${state}:/state`, ...options];
  const source = `oci:${join(work, mode === 'job' ? 'job' : 'server')}:v1`;
  const ended = await ocislim(['slim', source, `oci:${target}:v1`, '--progress', 'none', ...args]);
  const runs = () => Number(readFileSync(join(state, 'runs'), 'utf8'));
  return { ...ended, target, runs };
}

/** Unpacks a published image by programs of others. */
async function unpacked(target: string): Promise<string> {
  await pull(`oci:${target}:v1`, `${target}-pulled`);
  await unpack(`${target}-pulled`, `${target}-rootfs`);
  return `${target}-rootfs`;
}

const ask = '--http-probe=/ =>200';
const soon = '--run-for=0';
/** Without it, what lies beside a used file stays. */
const exactly = ['--granularity=file'];
const german = new URL('../../../fixtures/faults/german.probes.yaml', import.meta.url).pathname;

describe('a file', () => {
  it.each([
    ['that is opened in the second recording alone', 'second', [ask, soon], 'data/second'],
    ['that is opened 2 s after the last probe', 'later', [ask], 'data/later'],
    ['of a locale that one request asks for', 'locale', [`--http-probe-file=${german}`, soon], 'locale/de'],
  ])('stays %s', async (_, mode, options, path) => {
    const { status, stderr, target, runs } = await slim(mode, mode, ...options);
    expect(status, stderr).toBe(0);
    const rootfs = await unpacked(target);
    expect(existsSync(join(rootfs, path))).toBe(true);
    expect(existsSync(join(rootfs, 'other/unused'))).toBe(false);
    expect(runs()).toBe(3);
  });
});

describe('exit status 3', () => {
  const probe = 'GET http://:8080/';
  const path = 'data/third';
  const lacking: readonly (readonly [string, string, readonly string[]])[] = [
    ['where the pruned image looks for a file in vain, and answers as before', 'third-unseen', [path]],
    ['where it answers 200 with another body', 'third-body', [probe, path]],
    ['where it ends at a request', 'third-crash', [probe, path]],
  ];
  it.each(sample(lacking, 2))('means that nothing is published: %s', async (_, mode, named) => {
    const { status, stdout, stderr, target } = await slim(mode, mode, ask, soon);
    expect([status, stdout], stderr).toEqual([3, '']);
    for (const each of named) expect(stderr).toContain(each);
    expect(existsSync(target)).toBe(false);
  });

  it('means that nothing is published: where another body tells only how many files there are', async () => {
    const { status, stdout, stderr, target } = await slim('listed', 'listed', ask, soon, ...exactly);
    expect([status, stdout], stderr).toEqual([3, '']);
    expect(stderr).toContain(probe);
    expect(existsSync(target)).toBe(false);
  });

  it('means that nothing is published: where a job ends with another status', async () => {
    const { status, stdout, stderr, target } = await slim('job', 'job');
    expect([status, stdout], stderr).toEqual([3, expect.not.stringContaining('sha256:') as string]);
    expect(stderr).toContain(path);
    expect(stderr).toMatch(/ended with 4/);
    expect(existsSync(target)).toBe(false);
  });

  it.each([
    ['where the original does not answer as expected', 'plain', ['--http-probe=/ =>404', soon], '200'],
    ['where the original ends at once', 'dead', [ask, soon], 'the original'],
  ])('means that nothing is published: %s', async (_, mode, options, said) => {
    const { status, stdout, stderr, target, runs } = await slim(mode, mode, ...options);
    expect([status, stdout], stderr).toEqual([3, '']);
    expect(stderr).toContain(said);
    expect(existsSync(target)).toBe(false);
    expect(runs()).toBe(1);
  });
});

describe('--repair', () => {
  it.each(sample(['third-unseen', 'third-body', 'third-crash'], 3))(
    'puts back what was missing, tries again and publishes: %s',
    async (mode) => {
      const { status, stderr, target, runs } = await slim(`${mode}-repair`, mode, ask, soon, '--repair=2');
      expect(status, stderr).toBe(0);
      const rootfs = await unpacked(target);
      expect(readFileSync(join(rootfs, 'data/third'), 'utf8')).toBe('the body\n');
      expect(existsSync(join(rootfs, 'other/unused'))).toBe(false);
      expect(runs()).toBe(4);
    },
  );

  it('does not help where no missing path is known', async () => {
    const { status, stderr, target } = await slim(
      'listed-repair',
      'listed',
      ask,
      soon,
      '--repair=2',
      ...exactly,
    );
    expect(status, stderr).toBe(3);
    expect(existsSync(target)).toBe(false);
  });
});

it('a body that differs in every run is not compared', async () => {
  const { status, stderr, target } = await slim('changing', 'changing', ask, soon);
  expect(status, stderr).toBe(0);
  expect(existsSync(join(await unpacked(target), 'other/unused'))).toBe(false);
});
