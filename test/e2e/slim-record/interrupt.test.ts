/** Ctrl-C during `slim --record`, in each of its phases: no process, mount or file is left, and nothing is published. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { buildFaults } from '../../support/e2e/faults.ts';
import { removeFolder, run, workFolder } from '../../support/e2e/programs.ts';
import { asRunner, leftOf, nothingLeft, type Runner } from '../../support/e2e/runners.ts';
import { sample } from '../../support/extent.ts';

let work: string;
beforeAll(async () => {
  work = workFolder('record-interrupt');
  chmodSync(work, 0o755);
  await buildFaults(work);
  await run('chmod', ['-R', 'a+rX', join(work, 'server')]);
});
afterAll(() => removeFolder(work));

/** What a run says so far, and how often its program has started. */
interface Seen {
  readonly said: string;
  readonly runs: number;
}

const phases: readonly (readonly [string, (seen: Seen) => boolean])[] = [
  ['while the original is unpacked', ({ said }) => said.includes('the original, 1 of 2: running')],
  ['while the original runs', ({ runs }) => runs === 1],
  ['while the original runs once more', ({ runs }) => runs === 2],
  ['while the layers are rewritten', ({ said }) => /^layer 1: rewriting/m.test(said)],
  ['while the pruned image runs', ({ runs }) => runs === 3],
];

const cases = (['root', 'alone', 'mapped'] as const).flatMap((runner) =>
  phases.map(([when, isNow]) => [runner, when, isNow] as const),
);

describe('after SIGINT', () => {
  it.each(sample(cases, 4))('as %s, %s, nothing is left', async (runner, when, isNow) => {
    const name = `${phases.findIndex(([each]) => each === when)}`;
    const { child, ended, call, target, seen } = start(name, runner);
    await eventually(() => expect(isNow(seen())).toBe(true));
    child.kill('SIGINT');
    expect(await ended, seen().said).toBe(130);
    await eventually(() => expect(leftOf(call)).toEqual(nothingLeft));
    expect(existsSync(target)).toBe(false);
  });
});

function start(name: string, runner: Runner) {
  const call = asRunner(work, `stopped${name}`, runner);
  const [state, target] = [join(call.home, 'state'), join(call.home, 'slim')];
  mkdirSync(state);
  chmodSync(state, 0o777);
  const [program, ...args] = call.line([
    'slim',
    `oci:${join(work, 'server')}:v1`,
    `oci:${target}:v1`,
    '--progress=plain',
    '--record',
    '--run-env=FAULT=plain',
    `--run-mount=${state}:/state`,
    '--http-probe=/ =>200',
  ]);
  const child = spawn(program, args, {
    env: { ...process.env, ...call.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const runs = () =>
    existsSync(join(state, 'runs')) ? Number(readFileSync(join(state, 'runs'), 'utf8')) : 0;
  return { child, ended: statusOf(child), call, target, seen: (): Seen => ({ said, runs: runs() }) };
}

function statusOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve));
}
