/**
 * Runs the examples of the documentation as they stand: the README's, those of the guide, and those of the pages of the commands. The
 * blocks of a page are run one after the other in one folder, with a registry that answers for the hosts that the page names.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Block, blocksOf } from '../support/pages/markdown.ts';
import { missingLine } from '../support/pages/printed.ts';
import { type Ran, type Stage, Stages } from '../support/pages/stage.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).toSorted()].map((page) => {
  const text = readFileSync(join(root, page), 'utf8');
  return { page, text, blocks: blocksOf(text) };
});

/** What examples may need that tests do not have. */
const needs = [
  'a fresh clone',
  'a GitHub runner',
  'a GitLab runner',
  'a published release',
  'a Kubernetes cluster',
  'a terminal of its own',
  'cargo',
  'containerd',
  'Docker',
  'Docker Hub',
  'Podman',
  'root',
  'strace',
  'two machines',
];

/** What is run before the examples of a page. */
const before: Readonly<Record<string, string>> = {
  'docs/commands/copy.md': 'ocislim copy oci:app:1 oci-archive:app.tar:1',
  'docs/commands/restore.md': [
    'ocislim prune localhost:5000/app:1 localhost:5000/app:1-slim --rule bin/sh --rule usr/share/zoneinfo',
    'ocislim prune oci:app:1 oci:app:slim --rule bin/sh',
  ].join('\n'),
  'docs/recipes/build-squash.md': 'ocislim copy oci:app:1 oci-archive:app.tar:1',
  'docs/recipes/engines.md': 'ocislim copy oci:app:1 docker-archive:app.tar:app:1',
  'docs/restore.md':
    'ocislim prune localhost:5000/app:1 localhost:5000/app:1-slim --rule bin/sh --rule usr/share/zoneinfo',
  'docs/commands/verify.md': [
    'ocislim squash localhost:5000/app:1 localhost:5000/app:1-squashed --all',
    'ocislim prune localhost:5000/app:1 localhost:5000/app:1-slim --preset docs --report report.json',
  ].join('\n'),
};

/** Whether a block is a plan of ocislim. It becomes the file plan.yaml of its page. */
const isPlan = ({ language, text }: Block): boolean => language === 'yaml' && text.startsWith('version: 1');

/** Whether a block is run, or read by a command. */
const isRun = (block: Block): boolean =>
  block.needs === null && block.heldBy === null && (['sh', 'ts'].includes(block.language) || isPlan(block));

const listed = pages.flatMap(({ page, blocks }) =>
  blocks.map((block) => ({ ...block, where: `${page}:${block.line}` })),
);

describe('the blocks of the documentation', () => {
  it('name their language', () => {
    const languages = ['sh', 'ts', 'yaml', 'json', 'dockerfile', 'text'];
    expect(listed.filter(({ language }) => !languages.includes(language)).map(({ where }) => where)).toEqual(
      [],
    );
  });

  it('are run, or say visibly what they would need', () => {
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
    const holding = listed.flatMap(({ heldBy }) => (heldBy === null ? [] : [heldBy]));
    expect(holding.filter((test) => !existsSync(join(root, test)))).toEqual([]);
    expect(run.length).toBeGreaterThan(50);
    expect(run.length).toBeGreaterThan(code.length / 2);
  });

  it('show what is printed only below what is run', () => {
    const wrong = pages.flatMap(({ page, blocks }) =>
      blocks
        .filter((block, i) => block.isPrinted && !isRun(blocks[i - 1] ?? block))
        .map(({ line }) => `${page}:${line}`),
    );
    expect(wrong).toEqual([]);
  });
});

const stages = new Stages();
beforeAll(() => stages.open());
afterAll(() => stages.close());

describe.each(pages.filter(({ blocks }) => blocks.some(isRun)))(
  'the examples of $page',
  ({ page, text, blocks }) => {
    let stage: Stage;
    let last: Ran = { status: 0, output: '' };

    beforeAll(async () => {
      stage = await stages.stageFor(page);
      const { status, output } = await stage.runShell(before[page] ?? 'true');
      expect(status, output).toBe(0);
    });
    afterAll(() => stage.close());

    it.each(blocks.filter((block) => isRun(block) || block.isPrinted))(
      'hold in line $line',
      async (block) => {
        if (block.isPrinted) {
          expect(missingLine(block.text, stage.named(last.output, text)), last.output).toBeNull();
          return;
        }
        last = await runBlock(stage, block);
        expect(last.status, last.output).toBe(0);
      },
    );
  },
);

async function runBlock(stage: Stage, block: Block): Promise<Ran> {
  if (block.language === 'ts') return stage.runProgram(block.text);
  if (!isPlan(block)) return stage.runShell(block.text);
  await stage.write('plan.yaml', block.text);
  return stage.runShell('ocislim slim localhost:5000/app:1 --dry-run -f plan.yaml');
}
