import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { workloads } from '../../bench/trace/workloads/all.ts';

const applications = fileURLToPath(new URL('../../fixtures/images/applications', import.meta.url));
const recipes = readdirSync(applications)
  .filter((name) => name.endsWith('.sh') && name !== 'library.sh')
  .map((name) => name.slice(0, -'.sh'.length));

/** The images of build.sh, which other tests use too. */
const built = ['nginx', 'node', 'python'];

it('every image of fixtures/images has one workload, and every workload an image', () => {
  expect(workloads.map(({ image }) => image).toSorted()).toEqual([...recipes, ...built].toSorted());
});

it('every recipe says how its image is built, and has its sources beside it', () => {
  const folders = readdirSync(applications, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).toSorted()).toEqual(recipes.toSorted());
  for (const name of recipes)
    expect(readFileSync(`${applications}/${name}.sh`, 'utf8'), name).toMatch(/^build\(\) \{$/m);
});

it('the workloads are in the order of the table, and each has a work that the trace does not see', () => {
  expect(workloads.slice(0, 3).map(({ image }) => image)).toEqual(['nginx', 'python', 'node']);
  for (const { image, main, other } of workloads) {
    expect(main.length, image).toBeGreaterThan(0);
    expect(other, image).not.toEqual(main);
  }
});
