/**
 * Compares what the layers of two images hold: files, packages, the layers themselves. `diff-pair.ts` runs it over layers that were
 * read.
 */
import type { DiffedContents, PackageChange } from '../../analyze/diff/image-diff.ts';
import type { NewContents } from '../../analyze/diff/downloads.ts';
import { comparePackages } from '../../analyze/diff/packages.ts';
import type { DigestedLayer } from '../../layers/read/digest-tar.ts';
import type { Steps } from '../../steps.ts';
import { compareSteps, type RootfsPair, rootfsSteps } from './compare-rootfs.ts';
import { contentsSteps, newContentsSteps, packageSteps } from './diff-contents.ts';
import { type ComparedEntries, entrySteps } from './diff-entries.ts';
import { FileList } from './diff-files.ts';
import type { PairedLayers } from './diff-layers.ts';
import type { PairContext } from './diff-pair.ts';
import type { DigestedStacks } from './layer-digester.ts';

/** What differs in what the layers of two images hold. */
export interface StackDiff {
  /** Null where no layer had to be read. */
  readonly files: FileList | null;
  readonly rootfs: RootfsPair | null;
  /** What was found in the pairs of layers that differ, by number of the layer of B. */
  readonly entries: ReadonlyMap<number, ComparedEntries>;
  readonly packages: readonly PackageChange[];
  readonly contents: { readonly a: DiffedContents; readonly b: DiffedContents } | null;
  /** For each layer of B. */
  readonly newContents: readonly NewContents[];
}

/** The result for two images with the same layers. */
export const unread: StackDiff = {
  files: null,
  rootfs: null,
  entries: new Map(),
  packages: [],
  contents: null,
  newContents: [],
};

/** Compares the layers of two images that differ in at least one. @throws LAYER_INVALID for layers that cannot be applied */
export function* diffStackSteps(
  { a, b }: DigestedStacks,
  pairs: readonly PairedLayers[],
  { options, tally }: Omit<PairContext, 'digester'>,
): Steps<StackDiff> {
  const { selection } = options;
  const rootfs = yield* rootfsSteps(
    { label: options.a.label, layers: a },
    { label: options.b.label, layers: b },
  );
  const files = new FileList(rootfs, tally, selection?.matches ?? (() => true));
  yield* compareSteps(rootfs, unannounced, files.add);
  const before = yield* packageSteps(rootfs.a, a);
  const after = yield* packageSteps(rootfs.b, b);
  return {
    files,
    rootfs,
    entries:
      selection === null ? yield* pairSteps({ a, b }, pairs, { rootfs, files, tally, options }) : new Map(),
    packages: selection === null ? comparePackages(before, after) : [],
    contents: {
      a: yield* contentsSteps(rootfs.a, before.length),
      b: yield* contentsSteps(rootfs.b, after.length),
    },
    newContents: yield* newContentsSteps(a, b),
  };
}

const unannounced = {
  missing: () => false,
  changedMode: () => false,
  changedContent: null,
  linked: () => null,
};

interface PairsContext extends Omit<PairContext, 'digester'> {
  readonly rootfs: RootfsPair;
  readonly files: FileList;
}

function* pairSteps(
  stacks: DigestedStacks,
  pairs: readonly PairedLayers[],
  { rootfs, files, tally, options }: PairsContext,
): Steps<ReadonlyMap<number, ComparedEntries>> {
  const { table } = rootfs.a.tree;
  const context = { table, differing: files.differing, tally, listed: options.layers };
  const found = new Map<number, ComparedEntries>();
  for (const { a, b } of pairs) {
    if (a === null || b === null) continue;
    const [was, is] = [stacks.a[a - 1], stacks.b[b - 1]] as [DigestedLayer, DigestedLayer];
    if (was !== is) found.set(b, yield* entrySteps(was, is, context));
  }
  return found;
}
