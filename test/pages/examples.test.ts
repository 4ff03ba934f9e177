/**
 * Runs the examples of the documentation as they stand: the README's, those of the guide, and those of the pages of the commands. The
 * blocks of a page are run one after the other in one folder, with a registry that answers for the hosts that the page names.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatesFileOf, isPlan, isRun, readPages } from '../support/pages/all.ts';
import type { Block } from '../support/pages/markdown.ts';
import { missingLine } from '../support/pages/printed.ts';
import { type Ran, type Stage, Stages } from '../support/pages/stage.ts';

const pages = readPages();

/** What is run before the examples of a page. */
const before: Readonly<Record<string, string>> = {
  'docs/commands/append.md':
    'mkdir site && echo x > site/index.html && echo y > app.conf && tar -cf files.tar site',
  'docs/commands/build.md': 'mkdir site amd64 arm64 && echo x | tee site/index.html amd64/app > arm64/app',
  'docs/commands/copy.md': 'ocislim copy oci:app:1 oci-archive:app.tar:1',
  'docs/commands/diff.md': [
    'ocislim prune localhost:5000/app:1 localhost:5000/app:2 --preset docs',
    'ocislim squash oci:app:1 oci:app:2 --all',
  ].join('\n'),
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
  const gates = gatesFileOf(block);
  if (gates !== null) {
    await stage.write(gates, block.text);
    return stage.runShell(`ocislim check localhost:5000/app:1 --config ${gates} || test $? = 3`);
  }
  if (!isPlan(block)) return stage.runShell(block.text);
  await stage.write('plan.yaml', block.text);
  return stage.runShell('ocislim slim localhost:5000/app:1 --dry-run -f plan.yaml');
}
