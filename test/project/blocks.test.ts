/** Holds that every block of the documentation is run, or says visibly what it would need. test/pages runs them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { isRun, readPages } from '../support/pages/all.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What examples may need that tests do not have. */
const needs = [
  'a fresh clone',
  'a GitHub runner',
  'a GitLab runner',
  'a Kubernetes cluster',
  'a published release',
  'a terminal of its own',
  'cargo',
  'a scanner',
  'containerd',
  'Docker',
  'cosign',
  'Docker Hub',
  'Podman',
  'root',
  'strace',
];

const pages = readPages();
const listed = pages.flatMap(({ page, blocks }) =>
  blocks.map((block) => ({ ...block, where: `${page}:${block.line}` })),
);

it('every block of the documentation names its language', () => {
  const languages = ['sh', 'ts', 'yaml', 'json', 'dockerfile', 'text'];
  const others = listed.filter(({ language }) => !languages.includes(language));
  expect(others.map(({ where }) => where)).toEqual([]);
});

it('every block of code is run, or says visibly what it would need', () => {
  const code = listed.filter(({ language }) => ['sh', 'ts', 'yaml'].includes(language));
  const neither = code.filter((block) => !isRun(block) && block.needs === null && block.heldBy === null);
  const how = 'Mark them as CONTRIBUTING.md says (Documentation).';
  expect(
    neither.map(({ where }) => where),
    how,
  ).toEqual([]);
  const unknown = listed.filter((block) => block.needs !== null && !needs.includes(block.needs));
  expect(unknown.map(({ where, needs: what }) => `${where}: ${what}`)).toEqual([]);
  const run = code.filter(isRun);
  expect(run.length).toBeGreaterThan(50);
  expect(run.length).toBeGreaterThan(code.length / 2);
});

it('every test that is named as that of a block exists', () => {
  const holding = listed.flatMap(({ heldBy }) => (heldBy === null ? [] : [heldBy]));
  expect(holding.filter((test) => !existsSync(join(root, test)))).toEqual([]);
});

it('what is printed is shown only below what is run', () => {
  const wrong = pages.flatMap(({ page, blocks }) =>
    blocks
      .filter((block, i) => block.isPrinted && !isRun(blocks[i - 1] ?? block))
      .map(({ line }) => `${page}:${line}`),
  );
  expect(wrong).toEqual([]);
});
