/**
 * Everything that `explore` shows of one image, as columns over numbered paths and changes. It is made once after the scan; views, marks
 * and filters are computed from it and never change it.
 */
import type { Path } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import type { Stack } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import type { ImageFates } from '../../analyze/fates.ts';
import type { Digest } from '../../oci/digest.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';

/** One layer of the image. All bytes are unpacked unless a name says `transfer`. */
export interface LayerRow {
  /** From 1, the lowest. */
  readonly number: number;
  readonly digest: Digest;
  readonly transferBytes: number;
  readonly tarBytes: number;
  /** The instruction of the Dockerfile; empty where the history does not tell. */
  readonly instruction: string;
  readonly created: string | null;
  readonly entries: number;
  readonly markers: number;
  /** Bytes of regular files. The next two are parts of it. */
  readonly contentBytes: number;
  readonly shadowedBytes: number;
  readonly duplicateBytes: number;
}

/** The changes of all layers, in columns by change id. */
export interface ChangeColumns {
  readonly all: readonly Change[];
  readonly path: Int32Array;
  readonly layer: Int32Array;
  /** The change that carries the data of the file: itself, or for a hard link another; -1 for directories and markers. */
  readonly file: Int32Array;
  /** Bytes of the stored body of a regular file; 0 for everything else. */
  readonly size: Float64Array;
  /** 1 for a regular file with data that no visible name shows. */
  readonly lost: Uint8Array;
  /** 1 for a visible file whose contents a visible file of this or a lower layer has too. */
  readonly duplicate: Uint8Array;
  /** The ids of regular files with data, of hard links, and of all entries that are not markers. */
  readonly data: Int32Array;
  readonly links: Int32Array;
  readonly entries: Int32Array;
}

/** The states of paths: from which layer to which a change stands at a path, in columns. */
export interface SpanColumns {
  readonly path: Int32Array;
  /** The first layer that shows it. */
  readonly from: Int32Array;
  /** The layer that ends it; 0 for what the final root filesystem has. */
  readonly until: Int32Array;
  /** The id of the change + 1; -1 for a directory that is only implied. */
  readonly node: Int32Array;
}

/** The image that the contents are of. */
export interface ImageTitle {
  readonly name: string;
  readonly digest: Digest;
  readonly platform: string | null;
}

export interface Contents {
  readonly title: ImageTitle;
  readonly table: PathTable;
  readonly layers: readonly LayerRow[];
  readonly changes: ChangeColumns;
  readonly spans: SpanColumns;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  /** The ids of the changes at each path, lowest layer first: those of path `p` stand from `start[p]` to `start[p + 1]`. */
  readonly at: { readonly start: Int32Array; readonly ids: Int32Array };
  /** Returns what a file belongs to, for people: `nginx 1.27.0 (dpkg)`. */
  readonly ownersOf: (path: Path) => readonly string[];
}

/** What contents are made of. */
export interface ContentsInput {
  readonly title: ImageTitle;
  readonly stack: Stack;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly fates: ImageFates;
  /** What is known of each layer beside its headers, lowest first. */
  readonly layers: readonly Pick<
    LayerRow,
    'number' | 'digest' | 'transferBytes' | 'instruction' | 'created'
  >[];
  /** Digests of file contents by layer and entry. Empty where they were not gathered. */
  readonly digests: ReadonlyMap<number, ReadonlyMap<number, Digest>>;
  readonly ownersOf: (path: Path) => readonly string[];
}

/** Makes the contents of an image. @throws LAYER_INVALID */
export function* contentsSteps(input: ContentsInput): Steps<Contents> {
  const { stack, indexes, title, ownersOf } = input;
  const changes = yield* changeSteps(input);
  const spans = yield* spanSteps(stack, changes.file);
  const at = changesByPath(stack.table.paths.length, changes.path);
  yield;
  const layers = input.layers.map((layer) => ({ ...layer, ...weigh(layer.number, changes, indexes) }));
  return { title, table: stack.table, layers, changes, spans, indexes, at, ownersOf };
}

/** Puts the changes of all layers into columns. The column `file` of hard links is filled by `spanSteps`. */
function* changeSteps({ stack, indexes, fates, digests }: ContentsInput): Steps<ChangeColumns> {
  const all: Change[] = [];
  for (const changes of stack.layers.values()) for (const change of changes) all.push(change);
  yield;
  const count = all.length;
  const columns = {
    path: new Int32Array(count),
    layer: new Int32Array(count),
    file: new Int32Array(count).fill(-1),
    size: new Float64Array(count),
    lost: new Uint8Array(count),
    duplicate: new Uint8Array(count),
  };
  const [data, links, entries]: [number[], number[], number[]] = [[], [], []];
  for (const change of all) {
    const { id, kind, layer, entry } = change;
    if (id % itemsPerStep === 0) yield;
    columns.path[id] = change.path;
    columns.layer[id] = layer;
    columns.file[id] = change.file;
    if (kind === 'whiteout' || kind === 'opaque') continue;
    entries.push(id);
    if (kind === 'link') links.push(id);
    if (kind !== 'file') continue;
    columns.size[id] = indexes.get(layer)?.sizes[entry] ?? 0;
    columns.lost[id] = fates.layers.get(layer)?.lost[entry] ?? 0;
    if (columns.size[id] !== 0) data.push(id);
  }
  yield* markDuplicates(all, columns, digests);
  const ids = {
    data: Int32Array.from(data),
    links: Int32Array.from(links),
    entries: Int32Array.from(entries),
  };
  return { all, ...columns, ...ids };
}

/** Marks visible files whose contents a visible file before them has. */
function* markDuplicates(
  all: readonly Change[],
  { size, lost, duplicate }: Pick<ChangeColumns, 'size' | 'lost' | 'duplicate'>,
  digests: ContentsInput['digests'],
): Steps<void> {
  const seen = new Set<Digest>();
  for (const { id, layer, entry } of all) {
    if (id % itemsPerStep === 0) yield;
    if (size[id] === 0 || lost[id] === 1) continue;
    const digest = digests.get(layer)?.get(entry);
    if (digest === undefined) continue;
    if (seen.has(digest)) duplicate[id] = 1;
    else seen.add(digest);
  }
}

/** Applies all layers, and notes from which layer to which each node stands at its path, and the file of each hard link. */
function* spanSteps({ table, list, layers }: Stack, file: Int32Array): Steps<SpanColumns> {
  const tree = new Tree(table, list);
  const spans: { readonly [name in keyof SpanColumns]: number[] } = {
    path: [],
    from: [],
    until: [],
    node: [],
  };
  /** By path: the number of its open span, plus one. */
  const open = new Int32Array(table.paths.length);
  const observer = { onLink: (link: Change, target: number) => void (file[link.id] = target) };
  for (const [number, changes] of layers) {
    tree.apply(changes, observer);
    for (let path = 1; path < open.length; path++) {
      if (path % itemsPerStep === 0) yield;
      const node = tree.node[path] as number;
      const span = (open[path] as number) - 1;
      if (span < 0 ? node === 0 : spans.node[span] === node) continue;
      if (span >= 0) spans.until[span] = number;
      open[path] = node === 0 ? 0 : spans.path.length + 1;
      if (node === 0) continue;
      spans.path.push(path);
      spans.from.push(number);
      spans.until.push(0);
      spans.node.push(node);
    }
    yield;
  }
  return {
    path: Int32Array.from(spans.path),
    from: Int32Array.from(spans.from),
    until: Int32Array.from(spans.until),
    node: Int32Array.from(spans.node),
  };
}

/** Sorts the ids of changes by path; those of one path stay in their order. */
function changesByPath(count: number, path: Int32Array): Contents['at'] {
  const start = new Int32Array(count + 1);
  for (const each of path) (start[each + 1] as number)++;
  for (let i = 0; i < count; i++) start[i + 1] = (start[i + 1] as number) + (start[i] as number);
  const next = start.slice();
  const ids = new Int32Array(path.length);
  for (let id = 0; id < path.length; id++) ids[(next[path[id] as number] as number)++] = id;
  return { start, ids };
}

/** Adds up the bytes of one layer. */
function weigh(
  number: number,
  { all, layer, size, lost, duplicate }: ChangeColumns,
  indexes: ReadonlyMap<number, LayerIndex>,
): Omit<LayerRow, 'number' | 'digest' | 'transferBytes' | 'instruction' | 'created'> {
  const index = indexes.get(number);
  const row = { contentBytes: 0, shadowedBytes: 0, duplicateBytes: 0, markers: 0 };
  for (let id = 0; id < all.length; id++) {
    if (layer[id] !== number) continue;
    const { kind } = all[id] as Change;
    if (kind === 'whiteout' || kind === 'opaque') row.markers++;
    const bytes = size[id] as number;
    row.contentBytes += bytes;
    if (lost[id] === 1) row.shadowedBytes += bytes;
    if (duplicate[id] === 1) row.duplicateBytes += bytes;
  }
  return { ...row, tarBytes: index?.tarBytes ?? 0, entries: index?.kinds.length ?? 0 };
}
