import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { measure } from '../../bench/trace/measure.ts';
import { workloads } from '../../bench/trace/workloads/all.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';
import { isWhole, sample } from '../support/extent.ts';

// Real images, pruned by traces of their real workloads, still do their work.

/** The images that the set-up builds. bench/trace measures many more; `npm run test:all` tries those of them that are there. */
const images = ['nginx', 'python', 'node', 'perl', 'redis', 'busybox'];
/** The factor by which granularity `file` must at least shrink these images. */
const leastFactor: Readonly<Record<string, number>> = { nginx: 15, python: 10 };

let work: string;

beforeAll(() => {
  work = workFolder('traced');
});
afterAll(() => removeFolder(work));

describe('an image that was pruned by a trace', () => {
  const built = workloads.filter(({ image }) => images.includes(image));
  const isThere = (image: string): boolean => isWhole && existsSync(join(inject('images'), image));
  const tried = workloads.filter(({ image }) => images.includes(image) || isThere(image));

  it('has a workload, and has been built', () => {
    expect(built.map(({ image }) => image).toSorted()).toEqual(images.toSorted());
    expect(images.filter((image) => !existsSync(join(inject('images'), image)))).toEqual([]);
  });

  it.each(sample(tried, 3))('does its work as before: $image', async (workload) => {
    const { image } = workload;
    const results = await measure(workload, {
      layout: join(inject('images'), image),
      work: join(work, image),
      wanted: ['package', 'file'],
    });
    expect(results.map(({ granularity, works }) => ({ granularity, works }))).toEqual([
      { granularity: 'package', works: true },
      { granularity: 'file', works: true },
    ]);
    const [whole, least] = results;
    expect(whole?.otherWorks).toBe(true);
    expect(least?.transfer.after).toBeLessThanOrEqual(whole?.transfer.after ?? 0);
    const { before, after } = least?.transfer ?? { before: 0, after: 1 };
    expect(before / after).toBeGreaterThan(leastFactor[image] ?? 1);
    expect((least?.kept ?? 0) / (least?.used ?? 1)).toBeLessThanOrEqual(images.includes(image) ? 1.25 : 1.6);
  });
});
