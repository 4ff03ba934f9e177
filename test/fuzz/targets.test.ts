import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type FoundInput, Fuzzing } from '../../fuzz/fuzzing.ts';
import { judge } from '../../fuzz/judge.ts';
import type { Target } from '../../fuzz/target.ts';
import { runs, seed } from '../support/extent.ts';

const targets = new URL('../../fuzz/targets/', import.meta.url);
const regressions = new URL('../../fuzz/regressions/', import.meta.url);
const names = readdirSync(targets).map((file) => file.replace(/\.ts$/, ''));

// Files that targets write are removed with this folder.
const folder = mkdtempSync(join(tmpdir(), 'ocislim-fuzz-'));
process.env['TMPDIR'] = folder;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function load(name: string): Promise<Target> {
  return ((await import(new URL(`${name}.ts`, targets).href)) as { readonly target: Target }).target;
}

describe.each(names)('the target %s', (name) => {
  test('keeps its invariant on fresh inputs', async () => {
    const target = await load(name);
    const found: FoundInput[] = [];
    const fuzzing = new Fuzzing(target, seed, null, { onFinding: (each) => found.push(each) });
    const executions = runs(100, 2000) + target.seeds().length;
    await fuzzing.run({ time: Number.POSITIVE_INFINITY, executions });
    expect(found, target.invariant).toEqual([]);
    expect(target.name).toBe(name);
  });
});

describe('what was found once', () => {
  const inputs = readdirSync(regressions).flatMap((name) =>
    readdirSync(new URL(`${name}/`, regressions)).map((file) => [name, file] as const),
  );

  test('is of targets that there are', () => {
    expect(inputs.length).toBeGreaterThan(0);
    expect(names).toEqual(expect.arrayContaining([...new Set(inputs.map(([name]) => name))]));
  });

  test.each(inputs)('is not found again in %s: %s', async (name, file) => {
    const bytes = new Uint8Array(readFileSync(new URL(`${name}/${file}`, regressions)));
    expect(await judge(await load(name), bytes)).toBeNull();
  });
});
