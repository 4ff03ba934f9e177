/**
 * Turns changes into the edit that writes a layer. `slim/resolve` builds it, and `layers/edit` streams the sources through it.
 */
import {
  chmodHead,
  linkHead,
  makeHead,
  relinkHead,
  renameHead,
  resizeHead,
  retimeHead,
} from '../tar/head.ts';
import { wholeBlocks } from '../tar/header-block.ts';
import { padded } from '../tar/reader.ts';
import type { Change } from './change.ts';
import { EntryActions } from './entry-actions.ts';
import { type LayerIndex, opaqueMarkerName, whiteoutName } from './layer-index.ts';
import type { Path } from '../bytes/path.ts';
import type { PathTable } from './path-table.ts';

/** What happens to one entry of a source layer in the edited tar. Entries without an action are left out. */
export type EntryAction =
  | { readonly kind: 'keep' }
  /** The entry gets another name (a promoted hard link), and other permission bits if given. */
  | { readonly kind: 'rename'; readonly path: Path; readonly mode: number | null }
  | { readonly kind: 'chmod'; readonly mode: number }
  /** The file gets other contents; another name and other permission bits, where these are not null. */
  | {
      readonly kind: 'replace';
      readonly contents: NewContents;
      readonly path: Path | null;
      readonly mode: number | null;
    }
  /** The entry becomes a hard link, the `at`th of those that come after the data; with another name if one is given. */
  | { readonly kind: 'link'; readonly at: number; readonly target: Path; readonly path: Path | null };

/** The contents that a file gets in the place of its own. */
export interface NewContents {
  readonly bytes: Uint8Array;
  /** The digest of the bytes, by which recipes name them. */
  readonly digest: string;
}

/** The order of the data where it differs from that of the sources: entry `entries[i]` of layer `layers[i]` is the `i`th. */
export interface DataOrder {
  readonly layers: Int32Array;
  readonly entries: Int32Array;
  /** The bytes that each takes: head, body and padding. A head counts as it is in its source. */
  readonly bytes: Float64Array;
}

/** How to make one layer out of the entries of source layers: head blocks first, then streamed entries, then links. */
export interface LayerEdit {
  /** Head blocks of directories and markers, as they are written. */
  readonly before: readonly Uint8Array[];
  /** The source layers in the order in which they are read; a layer of which nothing is kept does not occur. */
  readonly sources: readonly { readonly layer: number; readonly actions: EntryActions }[];
  /** Null where the data of each source layer keeps its own order. */
  readonly order: DataOrder | null;
  /** How many entries become hard links. */
  readonly links: number;
  /** Head blocks of hard links, as they are written. They follow the data, so that a link's target exists before the link. */
  readonly after: readonly Uint8Array[];
  /** The names of these hard links. */
  readonly linkNames: readonly Path[];
  /** The expected bytes of the tar, its end mark included. Renamed and linked entries are counted with their present heads. */
  readonly tarBytes: number;
  /** The number of entries of the tar: data, links, directories and markers. */
  readonly entries: number;
}

export interface EditOptions {
  /** The time of made changes, in seconds since 1970. */
  readonly mtime: number;
  /** New permission bits by change id. */
  readonly modes: ReadonlyMap<number, number>;
  /** New contents by file. Default: none. */
  readonly contents?: ReadonlyMap<number, NewContents>;
}

const keep: EntryAction = { kind: 'keep' };

/**
 * Turns the changes of a layer into the edit that writes them: directories and markers, then data, then hard links, each in
 * the order in which they are given. `indexes` by source layer number.
 */
export function buildEdit(
  changes: readonly Change[],
  table: PathTable,
  indexes: ReadonlyMap<number, LayerIndex>,
  { mtime, modes, contents: replaced = new Map() }: EditOptions,
): LayerEdit {
  const before: Uint8Array[] = [];
  const after: Uint8Array[] = [];
  const linkNames: Path[] = [];
  const sources = new Map<number, EntryActions>();
  const data: Change[] = [];
  const act = (change: Change, action: EntryAction): void => {
    let actions = sources.get(change.layer);
    if (actions === undefined) sources.set(change.layer, (actions = new EntryActions()));
    actions.set(change.entry, action);
  };
  let links = 0;
  // The end mark has two blocks of zeros (POSIX.1-2017, pax, "ustar Interchange Format").
  let tarBytes = 1024;
  for (const change of changes) {
    const path = table.paths[change.path] as Path;
    const mode = modes.get(change.id) ?? null;
    switch (change.kind) {
      case 'directory':
      case 'whiteout':
      case 'opaque': {
        const head =
          change.form === 'made' ? makeMarker(change.kind, path, mtime) : storedHead(change, indexes, mode);
        before.push(head);
        tarBytes += head.length;
        break;
      }
      case 'link': {
        if (change.form === 'linked') {
          // An index holds no heads of files: this one is edited while its source streams by, and its body is skipped.
          const index = indexes.get(change.layer) as LayerIndex;
          const target = table.paths[change.target] as Path;
          const isRenamed = index.paths[change.entry] !== path;
          act(change, { kind: 'link', at: links++, target, path: isRenamed ? path : null });
          tarBytes += (index.bytes[change.entry] as number) - padded(index.sizes[change.entry] as number);
          break;
        }
        let head = storedHead(change, indexes, mode);
        if (change.form === 'relinked') head = relinkHead(head, table.paths[change.target] as Path);
        after.push(head);
        linkNames.push(path);
        tarBytes += head.length;
        break;
      }
      case 'file':
      case 'symlink':
      case 'char':
      case 'block':
      case 'fifo': {
        const contents = replaced.get(change.file) ?? null;
        act(
          change,
          contents === null ? actionOf(change, path, mode) : replacing(contents, change, { path, mode }),
        );
        data.push(change);
        tarBytes += bytesOfData(change, indexes, contents);
      }
    }
  }
  return {
    before,
    sources: [...sources].sort(([a], [b]) => a - b).map(([layer, actions]) => ({ layer, actions })),
    order: orderOf(data, (change) => bytesOfData(change, indexes, replaced.get(change.file) ?? null)),
    links,
    after,
    linkNames,
    tarBytes,
    entries: changes.length,
  };
}

/** Returns the order of the data; null where it is that of the sources. */
function orderOf(data: readonly Change[], bytesOf: (change: Change) => number): DataOrder | null {
  const isSorted = data.every((change, i) => {
    const before = data[i - 1];
    return (
      before === undefined ||
      before.layer < change.layer ||
      (before.layer === change.layer && before.entry < change.entry)
    );
  });
  if (isSorted) return null;
  return {
    layers: Int32Array.from(data, ({ layer }) => layer),
    entries: Int32Array.from(data, ({ entry }) => entry),
    bytes: Float64Array.from(data, bytesOf),
  };
}

/** Returns the bytes that an entry with data takes in the new tar, with the head that it has in its source. */
function bytesOfData(
  { layer, entry }: Change,
  indexes: ReadonlyMap<number, LayerIndex>,
  contents: NewContents | null,
): number {
  const index = indexes.get(layer) as LayerIndex;
  const bytes = index.bytes[entry] as number;
  if (contents === null) return bytes;
  return bytes - padded(index.sizes[entry] as number) + padded(contents.bytes.length);
}

/** Edits the head of an entry that is not left out. @throws TAR_INVALID */
export function editHead(head: Uint8Array, action: EntryAction): Uint8Array {
  switch (action.kind) {
    case 'keep':
      return head;
    case 'chmod':
      return chmodHead(head, action.mode);
    case 'rename':
      return renameHead(action.mode === null ? head : chmodHead(head, action.mode), action.path);
    case 'replace': {
      const resized = resizeHead(head, action.contents.bytes.length);
      const renamed = action.path === null ? resized : renameHead(resized, action.path);
      return action.mode === null ? renamed : chmodHead(renamed, action.mode);
    }
    case 'link':
      return linkHead(action.path === null ? head : renameHead(head, action.path), action.target);
  }
}

function actionOf(change: Change, path: Path, mode: number | null): EntryAction {
  if (change.form === 'renamed') return { kind: 'rename', path, mode };
  return mode === null ? keep : { kind: 'chmod', mode };
}

function replacing(
  contents: NewContents,
  { form }: Change,
  { path, mode }: { readonly path: Path; readonly mode: number | null },
): EntryAction {
  return { kind: 'replace', contents, path: form === 'renamed' ? path : null, mode };
}

/** Returns the body of a file that gets other contents, padded to whole blocks. */
export function replacedBody({ bytes }: NewContents): Uint8Array {
  return wholeBlocks(bytes);
}

function storedHead(
  change: Change,
  indexes: ReadonlyMap<number, LayerIndex>,
  mode: number | null,
): Uint8Array {
  const stored = (indexes.get(change.layer) as LayerIndex).head(change.entry);
  const head = change.form === 'timeless' ? retimeHead(stored, 0) : stored;
  return mode === null ? head : chmodHead(head, mode);
}

function makeMarker(kind: 'directory' | 'whiteout' | 'opaque', path: Path, mtime: number): Uint8Array {
  switch (kind) {
    case 'directory':
      return makeHead({ kind: 'directory', name: path, mtime });
    case 'whiteout':
      return makeHead({ kind: 'whiteout', name: whiteoutName(path), mtime });
    case 'opaque':
      return makeHead({ kind: 'whiteout', name: opaqueMarkerName(path), mtime });
  }
}
