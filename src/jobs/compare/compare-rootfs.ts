import { type Change, ChangeList, readChanges } from '../../changeset/change.ts';
import type { Path } from '../../bytes/path.ts';
import { buildPathTable, type PathTable } from '../../changeset/path-table.ts';
import { Tree } from '../../changeset/tree.ts';
import { at } from '../../errors.ts';
import { type ByteString, ascii } from '../../bytes/bytes.ts';
import { type DifferenceList, show } from './difference.ts';
import type { DigestedLayer, Traits } from '../../layers/read/digest-tar.ts';

/** How many paths were held against each other, and how many are gone that may be. */
export interface RootfsComparison {
  readonly compared: number;
  readonly allowedMissing: number;
}

/** What pruning announced. */
export interface Announced {
  /** May this path of the first image be missing in the second? */
  readonly missing: (path: ByteString) => boolean;
  /** May the file that got this path first have other permission bits? */
  readonly changedMode: (path: ByteString, from: number, to: number) => boolean;
  /** Of a file that got this path first: the name that stands for all that may have become one file with it, or null. */
  readonly linked: (path: ByteString) => ByteString | null;
}

/** Layers, lowest first, and what to call the image in messages. */
export interface LabelledStack {
  readonly label: string;
  readonly layers: readonly DigestedLayer[];
}

/**
 * Holds the root filesystem of one stack of layers against that of another: every visible path in every attribute, and
 * which names are one file. Where a path may be missing, a directory that has no entry of its own may go with what
 * implied it.
 * @throws LAYER_INVALID for layers that cannot be applied
 */
export function compareRootfs(
  before: LabelledStack,
  after: LabelledStack,
  announced: Announced,
  differences: DifferenceList,
): RootfsComparison {
  const indexes = [...before.layers, ...after.layers].map(({ index }) => index);
  const table = buildPathTable(indexes.flatMap(({ paths, targets }) => [paths, targets.values()]));
  const a = new Rootfs(table, before);
  const b = new Rootfs(table, after);
  const isExcused = excuse(a, b, announced.missing);
  const links = new LinkComparison(a, b, announced.linked);
  let compared = 0;
  let allowedMissing = 0;
  for (let id = 0; id < table.paths.length; id++) {
    const [was, is] = [a.kindOf(id), b.kindOf(id)];
    if (was === null && is === null) continue;
    if (was !== null && is === null && isExcused(id)) {
      allowedMissing++;
      continue;
    }
    const path = table.paths[id] === '' ? ascii`/` : (table.paths[id] as Path);
    if (was !== null && is !== null) compared++;
    if (was === null || is === null || was !== is) {
      const what = was === null ? 'added' : is === null ? 'missing' : 'kind';
      differences.add({ path, what, a: kindName(was), b: kindName(is) });
      continue;
    }
    const [left, right] = levelled(a.traitsOf(id), b.traitsOf(id));
    const isCleared =
      left.mode !== right.mode && announced.changedMode(a.firstName(id), left.mode, right.mode);
    const expected = isCleared ? { ...left, mode: right.mode } : left;
    for (const found of compareTraits(was, expected, right)) differences.add({ path, ...found });
    const linked = was === 'directory' ? null : links.compare(id);
    if (linked !== null) differences.add({ path, ...linked });
  }
  return { compared, allowedMissing };
}

/** What a stack of layers comes to. */
class Rootfs {
  readonly tree: Tree;
  readonly #layers: readonly DigestedLayer[];
  readonly #list = new ChangeList();

  constructor(table: PathTable, { label, layers }: LabelledStack) {
    this.#layers = layers;
    this.tree = new Tree(table, this.#list);
    try {
      layers.forEach(({ index }, i) => this.tree.apply(readChanges(index, i + 1, table, this.#list)));
    } catch (error) {
      throw at(`source ${label}`, error);
    }
  }

  /** Null for nothing. */
  kindOf(path: number): Change['kind'] | null {
    if (this.tree.node[path] === 0) return null;
    return this.#origin(path)?.kind ?? 'directory';
  }

  /** Null for a directory that is only implied. */
  traitsOf(path: number): Traits | null {
    const origin = this.#origin(path);
    return origin === null
      ? null
      : ((this.#layers[origin.layer - 1] as DigestedLayer).traits[origin.entry] as Traits);
  }

  /** The name under which the layer has the attributes: of a hard link, the one it links to. */
  firstName(path: number): Path {
    return this.tree.table.paths[this.#origin(path)?.path ?? path] as Path;
  }

  /** The change that the attributes come from: of a hard link, the one that first carried the file. */
  #origin(path: number): Change | null {
    return this.tree.isDirectory(path)
      ? this.tree.at(path)
      : this.#list.get((this.tree.file[path] as number) - 1);
  }
}

function excuse(a: Rootfs, b: Rootfs, missing: (path: ByteString) => boolean): (path: number) => boolean {
  const { paths, parent } = a.tree.table;
  const named = new Uint8Array(paths.length);
  const emptied = new Uint8Array(paths.length);
  for (let path = paths.length - 1; path > 0; path--) {
    if (b.tree.node[path] !== 0) continue;
    if (missing(paths[path] as Path)) named[path] = 1;
    if (named[path] === 1 || emptied[path] === 1) emptied[parent[path] as number] = 1;
  }
  return (path) => named[path] === 1 || (emptied[path] === 1 && a.tree.isImplied(path));
}

/**
 * Two names are one file on both sides or on neither, unless it was announced that two files become one; names that only one
 * side has do not count.
 */
class LinkComparison {
  readonly #a: Rootfs;
  readonly #b: Rootfs;
  /** The first name of each file, among those that both sides have. */
  readonly #firstOfA = new Map<number, number>();
  readonly #firstOfB = new Map<number, number>();

  readonly #joined: ReadonlyMap<number, number>;

  constructor(a: Rootfs, b: Rootfs, linked: Announced['linked']) {
    this.#a = a;
    this.#b = b;
    this.#joined = joinFiles(a, b, linked);
  }

  /** To be called with ascending paths. */
  compare(path: number): { what: 'links'; a: string; b: string } | null {
    const file = this.#a.tree.file[path] as number;
    const was = this.#first(this.#firstOfA, this.#joined.get(file) ?? file, path);
    const is = this.#first(this.#firstOfB, this.#b.tree.file[path] as number, path);
    return was === is ? null : { what: 'links', a: this.#describe(was, path), b: this.#describe(is, path) };
  }

  #first(known: Map<number, number>, file: number, path: number): number {
    const first = known.get(file);
    if (first === undefined) known.set(file, path);
    return first ?? path;
  }

  #describe(first: number, path: number): string {
    return first === path
      ? 'a file of its own'
      : `a hard link to ${show(this.#a.tree.table.paths[first] as Path)}`;
  }
}

/** By file of the first image, the one that it counts as: files that were to become one, and did. */
function joinFiles(a: Rootfs, b: Rootfs, linked: Announced['linked']): Map<number, number> {
  const { paths } = a.tree.table;
  const joined = new Map<number, number>();
  const rootOf = (file: number): number => {
    let at = file;
    for (let next = joined.get(at); next !== undefined && next !== at; next = joined.get(at)) at = next;
    return at;
  };
  const first = new Map<string, number>();
  for (let path = 0; path < paths.length; path++) {
    const [was, is] = [a.tree.file[path] as number, b.tree.file[path] as number];
    if (was === 0 || is === 0) continue;
    // A promoted name has another one first; a name that is left may be another than that which was announced.
    for (const group of new Set([linked(paths[path] as Path), linked(a.firstName(path))])) {
      if (group === null) continue;
      const key = `${is} ${group}`;
      const other = first.get(key);
      if (other === undefined) first.set(key, was);
      else if (rootOf(other) !== rootOf(was)) joined.set(rootOf(was), rootOf(other));
    }
  }
  for (const file of joined.keys()) joined.set(file, rootOf(file));
  return joined;
}

const implied: Traits = {
  mode: 0o755,
  owner: JSON.stringify(['0', '0', '', '']),
  mtime: '',
  records: '[]',
  content: '',
  stored: '',
};

/** A directory that is only implied has no time and no owner's name: neither counts on the other side then. */
function levelled(a: Traits | null, b: Traits | null): [Traits, Traits] {
  if (a !== null && b !== null) return [a, b];
  return [a === null ? implied : withoutNames(a), b === null ? implied : withoutNames(b)];
}

function withoutNames(traits: Traits): Traits {
  const [uid, gid] = JSON.parse(traits.owner) as string[];
  return { ...traits, owner: JSON.stringify([uid, gid, '', '']), mtime: '' };
}

type Found = {
  readonly what: 'mode' | 'owner' | 'time' | 'xattr' | 'content' | 'stored' | 'target' | 'device';
  readonly a: string;
  readonly b: string;
};

function compareTraits(kind: Change['kind'], a: Traits, b: Traits): Found[] {
  const found: Found[] = [];
  if (a.mode !== b.mode) found.push({ what: 'mode', a: octal(a.mode), b: octal(b.mode) });
  if (a.owner !== b.owner) found.push({ what: 'owner', a: ownerName(a.owner), b: ownerName(b.owner) });
  if (a.mtime !== b.mtime) found.push({ what: 'time', a: a.mtime, b: b.mtime });
  if (a.records !== b.records) found.push(...compareRecords(a.records, b.records));
  if (a.content !== b.content) found.push(compareContent(kind, a.content, b.content));
  else if (a.stored !== b.stored) found.push({ what: 'stored', a: a.stored, b: b.stored });
  return found;
}

function compareContent(kind: Change['kind'], a: string, b: string): Found {
  if (kind === 'symlink') return { what: 'target', a: show(a), b: show(b) };
  return { what: kind === 'file' ? 'content' : 'device', a, b };
}

function compareRecords(a: string, b: string): Found[] {
  const [was, is] = [a, b].map((text) => new Map(JSON.parse(text) as [string, string][])) as [
    Map<string, string>,
    Map<string, string>,
  ];
  const describe = (records: Map<string, string>, key: string) => {
    const name = show(key.replace(/^SCHILY\.xattr\./, ''));
    const value = records.get(key);
    return value === undefined ? `no ${name}` : `${name}=${show(value)}`;
  };
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((key) => was.get(key) !== is.get(key))
    .map((key) => ({ what: 'xattr', a: describe(was, key), b: describe(is, key) }));
}

function ownerName(owner: string): string {
  const [uid, gid, uname = '', gname = ''] = JSON.parse(owner) as string[];
  const names = uname === '' && gname === '' ? '' : ` (${show(uname)}:${show(gname)})`;
  return `${uid}:${gid}${names}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function kindName(kind: Change['kind'] | null): string {
  if (kind === null) return 'nothing';
  return kind === 'char' || kind === 'block' ? `${kind} device` : kind;
}
