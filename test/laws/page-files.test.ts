import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LayerIndex } from '../../src/changeset/layer-index.ts';
import type { Transform } from '../../src/image/image.ts';
import { scanTar } from '../../src/layers/read/scan-tar.ts';
import { displayPath } from '../../src/report/escape.ts';
import { type CollectedFiles, rowKindOf } from '../../src/report/page/collect-files.ts';
import { runFilesSteps } from '../../src/report/page/files-of-run.ts';
import { rowKinds } from '../../src/report/page/packed/file-table.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { arrange } from '../../src/slim/arrange.ts';
import { prune } from '../../src/slim/prune.ts';
import { squash } from '../../src/slim/squash.ts';
import { atOnce } from '../../src/steps.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { levelled, type Outcome, run, runRestore, lawRuns } from './rig.ts';
import { selectionOf, span } from './stages.ts';

// What the page shows before is what the layers of the source hold, and what it shows after is what those of the result hold.

async function* whole(tar: Uint8Array): AsyncGenerator<Uint8Array> {
  yield tar;
}

async function indexesOf(tars: readonly Uint8Array[]): Promise<Map<number, LayerIndex>> {
  const indexes = new Map<number, LayerIndex>();
  for (const [i, tar] of tars.entries()) indexes.set(i + 1, await scanTar(whole(tar), null));
  return indexes;
}

async function collect({ image, resolution }: Outcome, tars: readonly Uint8Array[]): Promise<CollectedFiles> {
  return atOnce(runFilesSteps({ image, resolution, indexes: await indexesOf(tars) }, '--last'));
}

/** Lists the files of a side, without directories, as texts. */
function shown({ table, fates }: CollectedFiles, side: 'before' | 'after'): string[] {
  const path = (node: number): string =>
    node === 0 ? '' : `${path(table.parents[node] as number)}/${table.names[node]}`;
  const texts: string[] = [];
  for (const [row, node] of table.nodes.entries()) {
    const kind = rowKinds[table.kinds[row] as number] as string;
    if (fates[table.fates[row] as number]?.[side] !== true || kind === 'directory') continue;
    texts.push(`${kind} ${path(node)} ${table.sizes[row]}`);
  }
  return texts.toSorted();
}

/** Lists the files that layers hold, as texts. */
async function held(tars: readonly Uint8Array[]): Promise<string[]> {
  const texts: string[] = [];
  for (const index of (await indexesOf(tars)).values())
    for (const [entry, path] of index.paths.entries()) {
      const kind = rowKindOf(index, entry);
      if (kind === null || kind === 'directory' || path === '') continue;
      texts.push(
        `${kind} ${path
          .split('/')
          .map((name) => `/${displayPath(name)}`)
          .join('')} ${kind === 'file' ? index.sizes[entry] : 0}`,
      );
    }
  return texts.toSorted();
}

const transforms = fc.record({
  a: span,
  b: span,
  shadowed: fc.boolean(),
  texts: fc.array(fc.constantFrom('a', 'b/**', '**/c', '!a/b', '*', 'd/*', '*x*'), { maxLength: 3 }),
  stages: fc.subarray(['prune', 'squash', 'link'] as const, { minLength: 1 }),
});

test('the files of a page are those of the layers before and after, whatever is pruned, squashed and linked', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1 }),
      transforms,
      async (stack, { a, b, shadowed, texts, stages }) => {
        const tars = stages.includes('link') ? levelled(stack) : stack.layers.map(({ tar }) => tar);
        const rules = texts.map((text) => parseRule(text, '--rule'));
        const made: Record<(typeof stages)[number], () => Transform> = {
          prune: () => prune(selectionOf(a, tars.length), { rules, shadowed }),
          squash: () => squash(selectionOf(b, tars.length)),
          link: () => arrange(selectionOf(b, tars.length), { order: null, hardlinks: true, always: true }),
        };
        const outcome = await run(tars, ...stages.map((stage) => made[stage]()));
        const files = await collect(outcome, tars);
        expect(shown(files, 'before')).toEqual(await held(tars));
        expect(shown(files, 'after')).toEqual(await held(outcome.tars));
      },
    ),
    { numRuns: lawRuns() },
  );
});

test('a page about a restoration shows what came back', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), span, transforms, async (stack, range, { texts }) => {
      const tars = stack.layers.map(({ tar }) => tar);
      const rules = texts.map((text) => parseRule(text, '--rule'));
      const slim = await run(tars, prune(selectionOf(range, tars.length), { rules }));
      const outcome = await runRestore(slim.tars, tars, null);
      const files = await collect(outcome, [...slim.tars, ...tars]);
      expect(shown(files, 'before')).toEqual(await held(slim.tars));
      expect(shown(files, 'after')).toEqual(await held(outcome.tars));
    }),
    { numRuns: lawRuns({ share: 0.5 }) },
  );
});
