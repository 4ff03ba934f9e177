import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { measure } from '../../bench/trace/measure.ts';
import { workloads } from '../../bench/trace/workloads.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';

// Real images, pruned by traces of their real workloads, still do what they are for. Those that were built, that is: the
// large ones take minutes.

/** How many times smaller granularity `file` must make these images, at least. */
const leastFactor: Readonly<Record<string, number>> = { nginx: 15, python: 10 };

let work: string;
const built = workloads.filter(({ image }) => existsSync(join(inject('images'), image)));

beforeAll(() => {
  work = workFolder('traced');
});
afterAll(() => removeFolder(work));

describe('an image that was pruned by a trace', () => {
  it('is there to be tried', () => {
    expect(built.map(({ image }) => image)).toEqual(
      expect.arrayContaining(['python', 'nginx', 'node', 'busybox']),
    );
  });

  it.each(built)('$image', async (workload) => {
    const { image } = workload;
    const results = await measure(workload, join(inject('images'), image), join(work, image), [
      'package',
      'file',
    ]);
    expect(results.map(({ granularity, works }) => ({ granularity, works }))).toEqual([
      { granularity: 'package', works: true },
      { granularity: 'file', works: true },
    ]);
    const [whole, least] = results;
    expect(whole?.otherWorks).toBe(true);
    expect(least?.transfer.after).toBeLessThanOrEqual(whole?.transfer.after ?? 0);
    const { before, after } = least?.transfer ?? { before: 0, after: 1 };
    expect(before / after).toBeGreaterThan(leastFactor[image] ?? 1);
    expect((least?.kept ?? 0) / (least?.used ?? 1)).toBeLessThanOrEqual(1.25);
  });
});
