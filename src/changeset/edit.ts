import { chmodHead, makeHead, relinkHead } from '../tar/head.ts';
import type { Change } from './change.ts';
import { EntryActions } from './entry-actions.ts';
import { type LayerIndex, opaqueMarkerName, whiteoutName } from './layer-index.ts';
import type { Path } from './path.ts';
import type { PathTable } from './path-table.ts';

/** What becomes of one entry of a source layer in the edited tar; entries without an action are left out. */
export type EntryAction =
  | { readonly kind: 'keep' }
  /** Goes on under another name (a promoted hard link), and with other permission bits if given. */
  | { readonly kind: 'rename'; readonly path: Path; readonly mode: number | null }
  | { readonly kind: 'chmod'; readonly mode: number };

/** How to make one layer out of the entries of source layers: head blocks first, then streamed entries, then links. */
export interface LayerEdit {
  readonly before: readonly Uint8Array[];
  /** In the order in which they are read; a layer of which nothing is kept does not occur. */
  readonly sources: readonly { readonly layer: number; readonly actions: EntryActions }[];
  readonly after: readonly Uint8Array[];
  /** Bytes of the tar to come, its end mark included; renamed entries are counted with the heads that they have now. */
  readonly tarBytes: number;
  readonly entries: number;
}

export interface EditOptions {
  /** Seconds since 1970, for what is made anew. */
  readonly mtime: number;
  /** New permission bits by change id. */
  readonly modes: ReadonlyMap<number, number>;
}

const keep: EntryAction = { kind: 'keep' };

/** Turns the changes of a layer into the edit that writes them. `indexes` by source layer number. */
export function buildEdit(
  changes: readonly Change[],
  table: PathTable,
  indexes: ReadonlyMap<number, LayerIndex>,
  { mtime, modes }: EditOptions,
): LayerEdit {
  const before: Uint8Array[] = [];
  const after: Uint8Array[] = [];
  const sources = new Map<number, EntryActions>();
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
        let head = storedHead(change, indexes, mode);
        if (change.form === 'relinked') head = relinkHead(head, table.paths[change.target] as Path);
        after.push(head);
        tarBytes += head.length;
        break;
      }
      case 'file':
      case 'symlink':
      case 'char':
      case 'block':
      case 'fifo': {
        let actions = sources.get(change.layer);
        if (actions === undefined) sources.set(change.layer, (actions = new EntryActions()));
        actions.set(change.entry, actionOf(change, path, mode));
        tarBytes += (indexes.get(change.layer) as LayerIndex).bytes[change.entry] as number;
      }
    }
  }
  return {
    before,
    sources: [...sources].sort(([a], [b]) => a - b).map(([layer, actions]) => ({ layer, actions })),
    after,
    tarBytes,
    entries: changes.length,
  };
}

function actionOf(change: Change, path: Path, mode: number | null): EntryAction {
  if (change.form === 'renamed') return { kind: 'rename', path, mode };
  return mode === null ? keep : { kind: 'chmod', mode };
}

function storedHead(
  change: Change,
  indexes: ReadonlyMap<number, LayerIndex>,
  mode: number | null,
): Uint8Array {
  const head = (indexes.get(change.layer) as LayerIndex).head(change.entry);
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
