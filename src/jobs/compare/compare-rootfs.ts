/**
 * Compares the root filesystems of two images, path by path and in every attribute. `verify.ts` and `diff.ts` call it for images whose
 * layers differ.
 */
import { ascii, type ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import { pathTableSteps } from '../../changeset/path-table.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { LinkComparison, type LinkedName } from './compare-links.ts';
import { compareTraits, levelled } from './compare-traits.ts';
import type { Difference } from './difference.ts';
import { type LabelledStack, Rootfs } from './rootfs.ts';
import type { NodeKind } from '../../rootfs/filesystem.ts';

/** How many paths were compared, how many are missing that may be, and how many files changed as was announced. */
export interface RootfsComparison {
  readonly compared: number;
  readonly allowedMissing: number;
  readonly allowedChanges: number;
}

/** The changes that a report announced, which are no differences. */
export interface Announced {
  /** Returns whether a path of A may be missing in B. */
  readonly missing: (path: ByteString) => boolean;
  /** Returns whether the file that a layer of A has first at this path may have other permission bits. */
  readonly changedMode: (path: ByteString, from: number, to: number) => boolean;
  /** Returns whether the file at this path may have other contents, each as `Traits.content` names them. Null: none may. */
  readonly changedContent: ((path: ByteString, from: string, to: string) => boolean) | null;
  readonly linked: LinkedName;
}

/** The root filesystems of two images, over the same numbers of paths. */
export interface RootfsPair {
  readonly a: Rootfs;
  readonly b: Rootfs;
}

interface Comparison extends RootfsPair {
  readonly links: LinkComparison;
  readonly announced: Announced;
}

/** A path that differs, by number, with what each side has there, and the ways in which it differs. */
export interface ComparedPath {
  readonly id: number;
  readonly was: NodeKind | null;
  readonly is: NodeKind | null;
  readonly differences: readonly Omit<Difference, 'path'>[];
}

/** Merges the layers of both images. @throws LAYER_INVALID for layers that cannot be applied */
export function* rootfsSteps(before: LabelledStack, after: LabelledStack): Steps<RootfsPair> {
  const indexes = [...before.layers, ...after.layers].map(({ index }) => index);
  const table = yield* pathTableSteps(indexes.flatMap(({ paths, targets }) => [paths, targets.values()]));
  const a = yield* Rootfs.build(table, before);
  const b = yield* Rootfs.build(table, after);
  return { a, b };
}

/**
 * Compares two root filesystems: every visible path in every attribute, and which names are one file. `visit` gets each path that
 * differs, in ascending order. Where a path may be missing, a directory without an entry of its own may go with the contents that
 * implied it.
 */
export function* compareSteps(
  { a, b }: RootfsPair,
  announced: Announced,
  visit: (compared: ComparedPath) => void,
): Steps<RootfsComparison> {
  const { paths } = a.tree.table;
  const isExcused = yield* excuseSteps(a, b, announced.missing);
  const links = yield* LinkComparison.build(a, b, announced.linked);
  const comparison = { a, b, announced, links };
  let compared = 0;
  let allowedMissing = 0;
  let changed = 0;
  for (let id = 0; id < paths.length; id++) {
    if (id % itemsPerStep === itemsPerStep - 1) yield;
    const [was, is] = [a.kindOf(id), b.kindOf(id)];
    if (was === null && is === null) continue;
    if (was !== null && is === null && isExcused(id)) {
      allowedMissing++;
      continue;
    }
    if (was !== null && is !== null) compared++;
    if (was !== null && is === was && isAnnounced(comparison, id)) changed++;
    const differences = comparePath(comparison, id);
    if (differences.length > 0) visit({ id, was, is, differences });
  }
  return { compared, allowedMissing, allowedChanges: changed + links.joined };
}

/** Returns the name of a path for a person: a slash for the root. */
export function namePath({ a }: RootfsPair, id: number): ByteString {
  const path = a.tree.table.paths[id] as Path;
  return path === '' ? ascii`/` : path;
}

/** Compares one path that at least one side has. Must be called with ascending paths. */
function comparePath(comparison: Comparison, id: number): Omit<Difference, 'path'>[] {
  const { a, b, links } = comparison;
  const [was, is] = [a.kindOf(id), b.kindOf(id)];
  if (was === null || is === null || was !== is) {
    const what = was === null ? 'added' : is === null ? 'missing' : 'kind';
    return [{ what, a: kindName(was), b: kindName(is) }];
  }
  const [left, right] = levelled(a.traitsOf(id), b.traitsOf(id));
  const expected = {
    ...left,
    ...(isCleared(comparison, id) ? { mode: right.mode } : {}),
    ...(isEdited(comparison, id) ? { content: right.content } : {}),
  };
  const linked = was === 'directory' ? null : links.compare(id);
  return [...compareTraits(was, expected, right), ...(linked === null ? [] : [linked])];
}

/** Returns whether a path that both sides have changed as was announced. */
function isAnnounced(comparison: Comparison, id: number): boolean {
  return isCleared(comparison, id) || isEdited(comparison, id);
}

/** Returns whether a file that both sides have got the contents that were announced. */
function isEdited({ a, b, announced }: Comparison, id: number): boolean {
  if (announced.changedContent === null || a.kindOf(id) !== 'file') return false;
  const [left, right] = levelled(a.traitsOf(id), b.traitsOf(id));
  if (left.content === right.content) return false;
  return announced.changedContent(a.tree.table.paths[id] as Path, left.content, right.content);
}

/** Returns whether a path that both sides have lost permission bits as was announced. */
function isCleared({ a, b, announced }: Comparison, id: number): boolean {
  const [left, right] = levelled(a.traitsOf(id), b.traitsOf(id));
  return left.mode !== right.mode && announced.changedMode(a.firstName(id), left.mode, right.mode);
}

/** Returns which missing paths are excused: those that may be missing, and implied directories that went with them. */
function* excuseSteps(
  a: Rootfs,
  b: Rootfs,
  missing: (path: ByteString) => boolean,
): Steps<(path: number) => boolean> {
  const { paths, parent } = a.tree.table;
  const named = new Uint8Array(paths.length);
  const emptied = new Uint8Array(paths.length);
  for (let path = paths.length - 1; path > 0; path--) {
    if (path % itemsPerStep === 0) yield;
    if (b.tree.node[path] !== 0) continue;
    if (missing(paths[path] as Path)) named[path] = 1;
    if (named[path] === 1 || emptied[path] === 1) emptied[parent[path] as number] = 1;
  }
  return (path) => named[path] === 1 || (emptied[path] === 1 && a.tree.isImplied(path));
}

function kindName(kind: Change['kind'] | null): string {
  if (kind === null) return 'nothing';
  return kind === 'char' || kind === 'block' ? `${kind} device` : kind;
}
