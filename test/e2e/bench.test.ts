import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { account, type RunOptions } from '../../bench/measure/account.ts';
import { sequence } from '../../bench/measure/command.ts';
import type { Results } from '../../bench/results.ts';
import { run } from '../support/e2e/programs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocislim-account-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('account', () => {
  const options = (more: Partial<RunOptions> = {}): RunOptions => ({
    folder,
    env: { PATH: process.env['PATH'] ?? '' },
    limit: 60,
    signal: new AbortController().signal,
    ...more,
  });

  it('adds processors and memory up over a pipeline', async () => {
    const work =
      'const a = Buffer.alloc(60e6, 1); const used = () => process.cpuUsage().user + process.cpuUsage().system; const end = used() + 2e5; while (used() < end);';
    const stage = [process.execPath, '-e', work];
    const { usage, failure } = await account({ pipelines: [{ stages: [stage, stage] }] }, options());
    expect(failure).toBeNull();
    expect(usage.cpu).toBeGreaterThanOrEqual(0.4);
    expect(usage.memory).toBeGreaterThan(120e6);
  });

  it('takes the largest of pipelines that follow each other', async () => {
    const stage = [process.execPath, '-e', 'Buffer.alloc(60e6, 1)'];
    const { usage } = await account(sequence(stage, ['true']), options());
    expect(usage.memory).toBeGreaterThan(60e6);
    const both = await account(sequence(stage, stage), options());
    expect(both.usage.memory).toBeLessThan(usage.memory * 1.5);
  });

  it('tells the first line of what a program says that fails', async () => {
    const { failure } = await account(
      sequence(['sh', '-c', 'echo; echo no >&2; echo more >&2; exit 3']),
      options(),
    );
    expect(failure).toBe('no');
    expect((await account(sequence(['sh', '-c', 'exit 3']), options())).failure).toBe('ended with status 3');
  });

  it('ends what takes too long, with all that it has started', async () => {
    const pid = join(folder, 'pid');
    const script = `sleep 60 & echo $! >${pid}; wait`;
    const { failure } = await account(sequence(['sh', '-c', script]), options({ limit: 0.5 }));
    expect(failure).toBe('not done after 0.5 s');
    const proc = `/proc/${readFileSync(pid, 'utf8').trim()}/stat`;
    // The process that adopted it may not have waited for it yet.
    if (existsSync(proc)) expect(readFileSync(proc, 'utf8')).toMatch(/\) [ZX] /);
  });

  it('ends it when it is told to, and leaves nothing behind', async () => {
    const abort = new AbortController();
    const running = account(sequence(['sleep', '60']), options({ signal: abort.signal }));
    abort.abort();
    await expect(running).rejects.toThrow();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('the benchmark', () => {
  it('measures a real image, says what is missing, and leaves nothing behind', async () => {
    const [out, scratch] = [join(folder, 'out'), join(folder, 'scratch')];
    mkdirSync(scratch);
    const script = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));
    const places = ['--images', inject('images'), '--out', out, '--scratch', scratch];
    const wanted = ['--quick', '--work', 'zstd3,copy', '--rivals', 'skopeo,zstd,umoci'];
    await run(process.execPath, [script, 'busybox', ...places, ...wanted]);
    const { rows, images } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results;
    expect(rows.map(({ work, rival, runs, failure }) => [work, rival, runs.length, failure])).toEqual(
      expect.arrayContaining([
        ['zstd3', 'ocislim', 1, null],
        ['zstd3', 'skopeo', 1, null],
        ['copy', 'ocislim', 1, null],
        ['copy', 'skopeo', 1, null],
      ]),
    );
    const [{ size } = { size: Number.NaN }] = images;
    for (const { work, moved } of rows)
      if (work === 'copy')
        expect(Math.min(moved?.downloaded ?? 0, moved?.uploaded ?? 0)).toBeGreaterThan(size);
    expect(readFileSync(join(out, 'results.md'), 'utf8')).toContain('| busybox | ocislim |');
    expect(readdirSync(scratch)).toEqual([]);
  });
});
