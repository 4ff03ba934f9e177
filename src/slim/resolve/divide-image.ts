/**
 * Divides the root filesystem of an image into components. `relayer-range.ts` calls it for the image that is laid out, and jobs for its earlier
 * versions, to learn what their components held.
 */
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { type Stack, stackSteps } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import type { ContentDigests, RelayerGroup, Relayering } from '../../image/relayering.ts';
import { changelogProbe } from '../../relayer/change-dates.ts';
import { type ComponentMap, componentSteps } from '../../relayer/components-of.ts';
import type { ComponentGroup } from '../../relayer/path-claims.ts';
import type { ContentProbe, FileFacts, LayerFacts } from '../../rootfs/facts/facts.ts';
import { mergeFacts } from '../../rootfs/facts/merged-facts.ts';
import { type Filesystem, mergeStack } from '../../rootfs/filesystem.ts';
import type { PackageIndex } from '../../rootfs/packages/package.ts';
import { detailProbe, packagesOf } from '../../rootfs/packages/package-index.ts';
import { createKeepMatcher } from '../../rules/rules.ts';
import type { Steps } from '../../steps.ts';
import { digestSteps } from './component-digests.ts';

/** Selects the contents that decide which components an image has and how old they are. What the cache has of one run serves the next. */
export const laidProbe: ContentProbe = (path) => Math.max(detailProbe(path), changelogProbe(path));

/** An image whose files are divided. */
export interface UndividedImage {
  /** The layers after all prunings. */
  readonly stack: Stack;
  /** The layers as they are: packages are read before anything is removed. */
  readonly original: Stack;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly factsOf: (fs: Filesystem) => FileFacts;
  /** The layers up to this one keep their files, which get no component. */
  readonly base: number;
}

/** How files become components. */
export interface DivisionWish extends Pick<Relayering, 'by' | 'groups' | 'maxLayer'> {
  /** The names that components of the previous version have. */
  readonly known: ReadonlySet<string>;
  /** Whether layers tell which instruction put files there. */
  readonly byLayer: boolean;
}

/** The components of an image, and what they were found by. */
export interface DividedImage {
  readonly map: ComponentMap;
  readonly tree: Tree;
  readonly fs: Filesystem;
  readonly facts: FileFacts;
  readonly packages: PackageIndex;
}

/** Divides an image. */
export function* dividedSteps(
  { stack, original, indexes, factsOf, base }: UndividedImage,
  { groups, ...division }: DivisionWish,
): Steps<DividedImage> {
  const tree = new Tree(stack.table, stack.list);
  for (const changes of stack.layers.values()) {
    tree.apply(changes, { onLink: (link, file) => void stack.list.resolve(link, file) });
    yield;
  }
  const fs = mergeStack(original, indexes);
  yield;
  const facts = factsOf(fs);
  const packages = packagesOf({ fs, facts });
  const map = yield* componentSteps(
    { stack, tree, indexes, packages, base },
    { ...division, groups: groups.map(matcherOf) },
  );
  return { map, tree, fs, facts, packages };
}

/** What scans said of an earlier version, by number of the layer. */
export interface ScannedVersion {
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  /** With the identities of entries. */
  readonly facts: ReadonlyMap<number, LayerFacts>;
  /** The layers up to this one are those of a base. */
  readonly base: number;
}

/** Digests what the components of an earlier version held, by their names. @throws LAYER_INVALID */
export function* versionDigestSteps(
  { indexes, facts, base }: ScannedVersion,
  division: DivisionWish,
): Steps<ContentDigests> {
  const stack = yield* stackSteps(indexes);
  const factsOf = (fs: Filesystem): FileFacts => mergeFacts(fs, facts);
  const { map, tree } = yield* dividedSteps({ stack, original: stack, indexes, factsOf, base }, division);
  const files = { stack, tree, indexes, facts, modes: new Map(), contents: new Map() };
  return Object.fromEntries(yield* digestSteps(map, files));
}

function matcherOf({ name, globs }: RelayerGroup): ComponentGroup {
  const match = createKeepMatcher(globs);
  return { name, matches: (path) => match(path) !== null };
}
