import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  copy,
  type Outcome,
  prune,
  recompress,
  restore,
  Secrets,
  slim,
  type SlimSettings,
  squash,
  verify,
} from '../../src/commands/index.ts';
import type { ProgressEvent } from '../../src/events.ts';
import { callCli } from '../support/cli.ts';
import { writeLayout } from '../support/image-builder.ts';
import { designedImage } from '../support/small-image.ts';

const work = mkdtempSync(join(tmpdir(), 'commands-'));
const source = `oci:${work}/image:1`;
const to = (name: string) => `oci:${work}/out:${name}`;
beforeAll(() => writeLayout(join(work, 'image'), { '1': designedImage() }));
afterAll(() => rmSync(work, { recursive: true }));

/** The digest that the command line publishes for the same command. */
async function digestByCli(name: string, args: readonly string[]): Promise<string> {
  const [command = '', ...options] = args;
  const { status, stdout, stderr } = await callCli([command, source, to(name), ...options]);
  expect(status, stderr).toBe(0);
  return stdout.trim().split('@')[1] ?? '';
}

function expectPlain(outcome: Outcome): void {
  expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
}

describe('commands for programs give what the command line gives', () => {
  test.each([
    [
      'slim',
      () => slim(source, to('a'), { compression: 'zstd', level: 5 }),
      ['--compression', 'zstd', '--level', '5'],
    ],
    ['squash', () => squash(source, to('b'), { last: 3 }), ['--last', '3']],
    [
      'prune',
      () => prune(source, to('c'), { shadowed: true, rule: ['**/*.md'] }),
      ['--shadowed', '--rule', '**/*.md'],
    ],
    ['recompress', () => recompress(source, to('d'), { compression: 'none' }), ['--compression', 'none']],
    ['copy', () => copy(source, to('e')), []],
  ] as const)('for %s', async (command, run, options) => {
    const outcome = await run();
    expectPlain(outcome);
    expect(outcome.root?.digest).toBe(await digestByCli(`${command}-cli`, [command, ...options]));
    expect(outcome.name).toBe(`${outcome.name?.split('@')[0]}@${outcome.root?.digest}`);
    expect(outcome.report.command).toBe(command);
    expect(outcome.failure).toBeNull();
  });

  test('with a report that says when it began, for how long it took, and by which schema it can be read', async () => {
    const before = Date.now();
    const { report } = await copy(source, to('timed'));
    const began = Date.parse(report.started ?? '');
    expect(began).toBeGreaterThanOrEqual(before);
    expect(began).toBeLessThanOrEqual(Date.now());
    expect(report.durationSeconds).toBeGreaterThanOrEqual(0);
    expect(report.durationSeconds).toBeLessThanOrEqual((Date.now() - before) / 1000);
    expect(report.$id).toBe('urn:ocislim:schema:report:1');
  });

  test('with a report that can be reproduced where SOURCE_DATE_EPOCH says so', async () => {
    const reports = await Promise.all(
      ['x', 'y'].map(async (name) => {
        const { report } = await squash(source, to(name), { all: true, sourceDateEpoch: 1_700_000_000 });
        return { ...report, destination: null, transfer: null };
      }),
    );
    expect(reports[0]).toEqual(reports[1]);
    expect(reports[0]).toMatchObject({ started: null, durationSeconds: null });
  });

  test('for verify and restore', async () => {
    await prune(source, to('f'), { rule: ['etc/**'] });
    const before = await verify(source, to('f'));
    expect(before.verification.equal).toBe(false);
    expect(JSON.parse(JSON.stringify(before))).toEqual(before);
    const restored = await restore(to('f'), to('g'), { original: source });
    expectPlain(restored);
    expect((await verify(source, to('g'))).verification.equal).toBe(true);
  });
});

describe('a job', () => {
  test('gives the same image in another process, from settings that went through JSON', async () => {
    const settings: Partial<SlimSettings> = { last: 2, compression: 'gzip', level: 9, rule: ['**/*.md'] };
    const here = await slim(source, to('here'), settings);
    const script = fileURLToPath(new URL('../support/run-job.ts', import.meta.url));
    const input = JSON.stringify({ args: [source, to('there')], settings });
    const { stdout, stderr } = spawnSync(process.execPath, [script], { input, encoding: 'utf8' });
    expect(stderr).toBe('');
    const there = JSON.parse(stdout) as Outcome;
    expect(there.root).toEqual(here.root);
    expect(there.imageId).toBe(here.imageId);
    expect(there.report.platforms).toEqual(here.report.platforms);
  });

  test('tells its listener of progress, and publishes nothing in a dry run', async () => {
    const events: ProgressEvent[] = [];
    const outcome = await squash(
      source,
      null,
      { all: true, dryRun: true },
      { listener: (event) => events.push(event) },
    );
    expect(outcome).toMatchObject({ name: null, root: null, imageId: null, report: { dryRun: true } });
    expect(events.map(({ type }) => type)).toContain('task-end');
  });

  test('stops when its signal is aborted, and publishes nothing', async () => {
    const signal = AbortSignal.abort(new Error('stop it'));
    await expect(copy(source, to('stopped'), {}, { signal })).rejects.toThrow('stop it');
    await expect(verify(source, to('stopped'))).rejects.toThrow(/stopped/);
  });

  test('collects warnings in its report, and fails by them with strict', async () => {
    const rule = ['no/such/file'];
    const outcome = await prune(source, to('warned'), { rule });
    expect(outcome.report.warnings).toMatchObject([{ code: 'RULE_UNUSED' }]);
    await expect(prune(source, to('strict'), { rule, strict: true })).rejects.toMatchObject({
      code: 'STRICT',
    });
  });

  test('takes secrets beside the settings', async () => {
    const secrets = new Secrets({ creds: 'no-colon' });
    await expect(copy(source, 'localhost:1/app', {}, { secrets, env: {} })).rejects.toThrow(
      /credentials on the command line are written USER:PASSWORD/,
    );
  });

  test('refuses a destination that is its source', async () => {
    await expect(copy(source, source)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(copy(source, null)).rejects.toThrow(/no destination was given/);
  });
});
