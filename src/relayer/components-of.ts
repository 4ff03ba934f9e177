/**
 * Divides the files of a root filesystem into components, by what claims them. `slim/resolve` calls it for an image that is relayered,
 * and writes each component into the layer that the plan gives it.
 */
import { baseOf, join, type Path, parentOf, rootPath } from '../bytes/path.ts';
import { ascii, utf8Bytes, utf8Text } from '../bytes/bytes.ts';
import type { LayerIndex } from '../changeset/layer-index.ts';
import type { Stack } from '../changeset/stack.ts';
import type { Tree } from '../changeset/tree.ts';
import { isCompiledName, sourceOf } from '../rootfs/facts/compiled.ts';
import type { PackageIndex } from '../rootfs/packages/package.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import { KiB, MiB } from '../units.ts';
import { Drafts, noComponent } from './drafts.ts';
import { FileNodes } from './file-nodes.ts';
import { fnv1a } from './fnv.ts';
import { type ComponentGroup, type Division, PathClaims } from './path-claims.ts';
import { placeOf } from './places.ts';
import { splitSteps } from './split.ts';
import { type TreeSearch, treeSteps } from './trees.ts';

/** An image that is divided. */
export interface DividedImage {
  readonly stack: Stack;
  /** The tree of all layers of the stack. */
  readonly tree: Tree;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly packages: PackageIndex;
  /** The layers up to this one keep their files, which get no component. 0: all files get one. */
  readonly base: number;
}

/** How an image is divided. */
export interface DivisionOptions {
  readonly by: Division;
  /** Components that the user names. The first that matches a path has it. */
  readonly groups: readonly ComponentGroup[];
  /** The most bytes of a component: a larger one becomes several, file by file. Null: any number. */
  readonly maxLayer: number | null;
  /** The names that components of the previous version have: its trees are trees again, whatever layers they are in. */
  readonly known: ReadonlySet<string>;
  /** Whether layers tell which instruction put files there: those of an image that was relayered do not. */
  readonly byLayer: boolean;
}

/** A component, and what is known of its files. */
export interface MappedComponent {
  readonly name: string;
  readonly bytes: number;
  readonly volatile: boolean;
  /** Number of paths. */
  readonly files: number;
  /** The newest time of modification, in seconds since 1970. */
  readonly mtime: number;
}

/** The components of an image, and the component of each path. */
export interface ComponentMap {
  /** Sorted by name. */
  readonly components: readonly MappedComponent[];
  /** By path number: the index of the component; `noComponent` for directories that are not empty, and for paths without a file. */
  readonly of: Uint32Array;
}

/** Files that nothing claims are components of their own from this size on; so are packages of Node. */
const large = MiB;
/** Smaller trees are not worth a component. */
const leastTree = 64 * KiB;

/** Divides an image into components. All names of a file (hard links) are in one. */
export function* componentSteps(image: DividedImage, options: DivisionOptions): Steps<ComponentMap> {
  const nodes = yield* FileNodes.steps(image);
  const drafts = new Drafts(nodes);
  yield* claimSteps(image, options, { nodes, drafts });
  yield* compiledSteps(image, { nodes, drafts });
  drafts.unite();
  drafts.foldSmall(large);
  yield* leftoverSteps(image, options, { nodes, drafts });
  drafts.unite();
  if (options.maxLayer !== null) yield* splitSteps(drafts, image.stack.table, options.maxLayer);
  return drafts.finish();
}

interface Work {
  readonly nodes: FileNodes;
  readonly drafts: Drafts;
}

/** Gives paths to what claims them. */
function* claimSteps(
  { stack, packages }: DividedImage,
  { by, groups }: DivisionOptions,
  { nodes, drafts }: Work,
): Steps<void> {
  const claims = new PathClaims(groups, by === 'package' ? packages : null);
  for (let id = 1; id < stack.table.paths.length; id++) {
    if (id % itemsPerStep === 0) yield;
    if (!nodes.counts(id)) continue;
    const claim = claims.of(stack.table.paths[id] as Path, nodes.componentName(id));
    if (claim !== null) drafts.put(id, drafts.number(claim));
  }
}

/** Puts compiled modules of Python, which no list names, beside their sources. */
function* compiledSteps({ stack: { table } }: DividedImage, { nodes, drafts }: Work): Steps<void> {
  for (let id = 1; id < table.paths.length; id++) {
    if (id % itemsPerStep === 0) yield;
    const path = table.paths[id] as Path;
    if (!isCompiledName(path) || drafts.of(id) !== noComponent || !nodes.counts(id)) continue;
    const source = table.findId(sourceOf(path));
    if (source !== null) drafts.put(id, drafts.of(source));
  }
}

/** Gives what nothing claims a component by its size, its archive, its tree or its place. */
function* leftoverSteps(
  image: DividedImage,
  { by, known, byLayer }: DivisionOptions,
  work: Work,
): Steps<void> {
  const { nodes, drafts } = work;
  const { table } = image.stack;
  const trees = by === 'package' ? yield* treesOf(image, { known: treesIn(known), byLayer }, work) : null;
  for (let id = 1; id < table.paths.length; id++) {
    if (id % itemsPerStep === 0) yield;
    if (drafts.of(id) !== noComponent || !nodes.leads(id)) continue;
    const path = table.paths[id] as Path;
    const tree = trees?.nameOf(id) ?? null;
    const name = nameOfLeftover({ path, bytes: nodes.bytes(id), by, tree });
    drafts.put(id, drafts.number({ name, volatile: false, smallPartOf: null }));
  }
}

interface Leftover {
  readonly path: Path;
  readonly bytes: number;
  readonly by: Division;
  /** The tree that it is in. */
  readonly tree: string | null;
}

const archive = /\.(?:jar|war|ear)$/;

function nameOfLeftover({ path, bytes, by, tree }: Leftover): string {
  if (archive.test(path) && by === 'package')
    return bytes > large ? `java:/${unversioned(path)}` : `java:/${utf8Text(parentOf(path))}`;
  if (bytes > large && by !== 'path') return `big:/${utf8Text(path)}`;
  if (by === 'path') return `path:/${utf8Text(placeOf(path))}`;
  if (by === 'size') return `files:${bucketOf(path)}`;
  return tree ?? 'rest';
}

/** Returns the name of an archive without its version: "app/lib/spring-core.jar" for "app/lib/spring-core-6.1.2.jar". */
function unversioned(path: Path): string {
  const name = baseOf(path);
  const version = name.search(/-\d/);
  const whole = version < 0 ? name : ascii`${name.slice(0, version)}${name.slice(name.lastIndexOf('.'))}`;
  return utf8Text(join(parentOf(path), whole));
}

/** The components of small files, where they are divided by size. */
const buckets = 256;

function bucketOf(path: Path): string {
  return (fnv1a(path) % buckets).toString(16).padStart(2, '0');
}

const treePrefix = 'tree:/';

/** Returns the directories of trees. A tree that was split has a space and its part behind its name, which may hold spaces of its own. */
function treesIn(names: ReadonlySet<string>): ReadonlySet<Path> {
  const trees = new Set<Path>();
  for (const name of names) {
    // Names are read from an image: what names no path names no tree.
    if (!name.startsWith(treePrefix) || /\/\.{1,2}(?:\/|$)|\0/.test(name)) continue;
    const [, whole = name] = /^(.*) (?:\d+\/\d+|\/.*)$/.exec(name) ?? [];
    trees.add(rootPath`${utf8Bytes(whole.slice(treePrefix.length))}`);
  }
  return trees;
}

interface Trees {
  nameOf(id: number): string | null;
}

/** Finds the trees that are worth a component. */
function* treesOf(
  { stack: { table } }: DividedImage,
  search: TreeSearch,
  { nodes, drafts }: Work,
): Steps<Trees> {
  const left = new Int32Array(table.paths.length);
  for (let id = 1; id < table.paths.length; id++) {
    if (id % itemsPerStep === 0) yield;
    if (drafts.of(id) === noComponent && nodes.leads(id) && nodes.bytes(id) <= large)
      left[id] = nodes.layer(id);
  }
  const trees = yield* treeSteps(table, left, search);
  const bytes = new Map<number, number>();
  left.forEach((layer, id) => {
    if (layer === 0) return;
    bytes.set(trees[id] as number, (bytes.get(trees[id] as number) ?? 0) + nodes.bytes(id));
  });
  return {
    nameOf(id) {
      const tree = trees[id] as number;
      return tree < 0 || (bytes.get(tree) ?? 0) < leastTree
        ? null
        : `${treePrefix}${utf8Text(table.paths[tree] as Path)}`;
    },
  };
}
