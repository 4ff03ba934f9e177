import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Fuzzing } from '../../fuzz/fuzzing.ts';
import { parseOptions } from '../../fuzz/options.ts';
import { type Result, watch } from '../../fuzz/watchdog.ts';
import { target } from './planted.ts';

const planted = new URL('./planted.ts', import.meta.url);

function hunt(bug: string, only?: Uint8Array): Promise<Result> {
  return watch({
    module: `${planted.href}?bug=${bug}`,
    seed: 7,
    limits: { time: 50_000, executions: 2_000_000 },
    counted: planted.href,
    // An input that hangs need not be waited for; one that is only slow must be.
    patience: ['loops', 'waits'].includes(bug) ? 1000 : 50_000,
    isEnough: (found) => found.length > 0,
    ...(only === undefined ? {} : { only }),
  });
}

const trigger = Buffer.from('FUZZ');

describe('a planted bug', () => {
  test('behind four bytes is found by following the coverage, and its input is made small', async () => {
    const { findings, blocks } = await hunt('throws');
    expect(findings).toMatchObject([{ kind: 'thrown', message: 'TypeError: planted' }]);
    expect(Buffer.from(findings[0]?.bytes ?? []).toString()).toBe('FUZZ');
    expect(blocks).toBeGreaterThan(4);
  });

  test('is not found by chance', async () => {
    const fuzzing = new Fuzzing(target, 7, null);
    await fuzzing.run({ time: Number.POSITIVE_INFINITY, executions: 20_000 });
    expect(fuzzing.inputs).toBe(1);
  });

  test.each([
    ['internal', 'thrown', /planted/],
    ['breaks', 'broken', /planted/],
    ['loops', 'hang', /did not come back/],
    ['waits', 'hang', /did not come back/],
    ['rejects', 'thrown', /where nobody waits/],
    ['dawdles', 'slow', /processor time/],
    ['fills', 'memory', /MiB of heap/],
  ])('of the kind %s is reported as %s', async (bug, kind, message) => {
    const { findings } = await hunt(bug, trigger);
    expect(findings).toMatchObject([{ kind, message: expect.stringMatching(message) as string }]);
    expect(Buffer.from(findings[0]?.bytes ?? []).toString()).toBe('FUZZ');
  });

  test('a refusal is not a finding', async () => {
    expect((await hunt('refuses', trigger)).findings).toEqual([]);
  });
});

describe('the same seed', () => {
  const inputsOf = async (seed: number): Promise<string> => {
    const inputs: string[] = [];
    const before = (bytes: Uint8Array) => inputs.push(Buffer.from(bytes).toString('hex'));
    await new Fuzzing(target, seed, null, { before }).run({
      time: Number.POSITIVE_INFINITY,
      executions: 500,
    });
    return inputs.join(' ');
  };

  test('makes the same inputs, another one others', async () => {
    expect(await inputsOf(1)).toBe(await inputsOf(1));
    expect(await inputsOf(1)).not.toBe(await inputsOf(2));
  });
});

describe('the command', () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [
      fileURLToPath(new URL('../../fuzz/run.ts', import.meta.url)),
      ...args,
    ]);

  test('prints a row for each target', async () => {
    const { stdout } = await run('--target', 'json', '--target', 'headers', '--seconds', '1', '--jobs', '2');
    expect(stdout).toMatch(/^seed [1-9]\d*$/m);
    expect(stdout).toMatch(/^target +executions +per second +blocks +corpus +findings$/m);
    expect(stdout).toMatch(/^json( +[1-9]\d*){4} +0$/m);
    expect(stdout).toMatch(/^headers( +[1-9]\d*){4} +0$/m);
  });

  test('runs one input', async () => {
    const file = fileURLToPath(new URL('../../fuzz/regressions/settings/lost-alias.yaml', import.meta.url));
    const { stdout } = await run('--target', 'settings', '--input', file);
    expect(stdout).toBe('settings: no finding\n');
  });

  test.each([
    [['--target', 'nothing'], /there is no target nothing/],
    [['--seconds', '0'], /--seconds wants a number from 1 on/],
    [['--input', 'x'], /--input needs the one --target/],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args, ['tar', 'zstd'])).toThrow(message);
  });
});
