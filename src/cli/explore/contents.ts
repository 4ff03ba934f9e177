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
import { duplicateSteps } from '../../analyze/duplicates.ts';
import type { ImageFates } from '../../analyze/fates.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ContentPrints } from '../../rootfs/facts/prints.ts';
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
  /** Fingerprints of contents by layer. Empty where they were not taken. */
  readonly prints: ReadonlyMap<number, ContentPrints>;
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
function* changeSteps({ stack, indexes, fates, prints }: ContentsInput): Steps<ChangeColumns> {
  const duplicates = yield* duplicateSteps({ indexes, fates, prints });
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
  const repeated = new Map<number, Uint8Array>();
  for (const [number, { kinds }] of indexes) {
    const flags = new Uint8Array(kinds.length);
    for (const { entry } of duplicates.of(number)) flags[entry] = 1;
    repeated.set(number, flags);
    yield;
  }
  const [data, links, entries] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  const filled = { data: 0, links: 0, entries: 0 };
  for (const change of all) {
    const { id, kind, layer, entry } = change;
    if (id % itemsPerStep === 0) yield;
    columns.path[id] = change.path;
    columns.layer[id] = layer;
    columns.file[id] = change.file;
    if (kind === 'whiteout' || kind === 'opaque') continue;
    entries[filled.entries++] = id;
    if (kind === 'link') links[filled.links++] = id;
    if (kind !== 'file') continue;
    columns.size[id] = indexes.get(layer)?.sizes[entry] ?? 0;
    columns.lost[id] = fates.layers.get(layer)?.lost[entry] ?? 0;
    columns.duplicate[id] = repeated.get(layer)?.[entry] ?? 0;
    if (columns.size[id] !== 0) data[filled.data++] = id;
  }
  const ids = {
    data: data.slice(0, filled.data),
    links: links.slice(0, filled.links),
    entries: entries.slice(0, filled.entries),
  };
  return { all, ...columns, ...ids };
}

/** Applies all layers, and notes from which layer to which each node stands at its path, and the file of each hard link. */
function* spanSteps({ table, list, layers }: Stack, file: Int32Array): Steps<SpanColumns> {
  const tree = new Tree(table, list);
  const spans = new Spans(table.paths.length);
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
      open[path] = node === 0 ? 0 : spans.add(path, number, node) + 1;
    }
    yield;
  }
  return spans.finish();
}

/** Spans in columns that grow. Most paths have one. */
class Spans {
  path: Int32Array;
  from: Int32Array;
  until: Int32Array;
  node: Int32Array;
  #count = 0;

  constructor(expected: number) {
    this.path = new Int32Array(expected);
    this.from = new Int32Array(expected);
    this.until = new Int32Array(expected);
    this.node = new Int32Array(expected);
  }

  /** Adds a span that goes on, and returns its number. */
  add(path: number, from: number, node: number): number {
    if (this.#count === this.path.length) this.#resize(2 * this.#count + 1);
    this.path[this.#count] = path;
    this.from[this.#count] = from;
    this.node[this.#count] = node;
    return this.#count++;
  }

  finish(): SpanColumns {
    this.#resize(this.#count);
    return { path: this.path, from: this.from, until: this.until, node: this.node };
  }

  #resize(length: number): void {
    const resized = (column: Int32Array): Int32Array => {
      const other = new Int32Array(length);
      other.set(column.subarray(0, Math.min(length, column.length)));
      return other;
    };
    this.path = resized(this.path);
    this.from = resized(this.from);
    this.until = resized(this.until);
    this.node = resized(this.node);
  }
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
