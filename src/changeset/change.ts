/**
 * Changes: what a layer does to the filesystem, entry by entry, over numbered paths. This room is the algebra of layers: it applies
 * changes to trees, expresses trees as changes, and knows nothing of images, plans or rules.
 */
import { type Path } from '../bytes/path.ts';
import type { ChangeKind, LayerIndex } from './layer-index.ts';
import type { PathTable } from './path-table.ts';

/**
 * Where the bytes of a change come from. `verbatim`: from its entry. `renamed`: it has the data of another name. `relinked`: it
 * is a link with a new target. `linked`: it is a hard link in the place of a file that had data of its own. `timeless`: it is a directory
 * that an upper layer states again, so that its own time does not matter. `made`: no source layer has it.
 */
export type ChangeForm = 'verbatim' | 'renamed' | 'relinked' | 'linked' | 'timeless' | 'made';

/** One thing that a layer does to the filesystem, over numbered paths. */
export interface Change {
  /** The number in the ChangeList, which identifies what the change puts at its path. */
  readonly id: number;
  readonly kind: Exclude<ChangeKind, 'ignored'>;
  readonly path: number;
  /** The path that a hard link names, else -1. */
  readonly target: number;
  /** The source layer (from 1) and entry that hold its bytes; 0 and -1 for a made change. */
  readonly layer: number;
  readonly entry: number;
  /**
   * The file (inode) that it puts at its path: the id of the change that first carried its data. -1 for directories and
   * markers, and for a hard link that has not been resolved.
   */
  readonly file: number;
  readonly form: ChangeForm;
}

/** All changes of a stack of layers, and those made while transforming it. */
export class ChangeList {
  readonly #changes: Change[] = [];

  get(id: number): Change {
    return this.#changes[id] as Change;
  }

  create(change: Omit<Change, 'id' | 'file'> & { readonly file?: number }): Change {
    const id = this.#changes.length;
    const carries =
      change.kind !== 'directory' &&
      change.kind !== 'link' &&
      change.kind !== 'whiteout' &&
      change.kind !== 'opaque';
    const whole: Change = {
      id,
      kind: change.kind,
      path: change.path,
      target: change.target,
      layer: change.layer,
      entry: change.entry,
      file: change.file ?? (carries ? id : -1),
      form: change.form,
    };
    this.#changes.push(whole);
    return whole;
  }

  /** Notes to which file a hard link binds. */
  resolve(link: Change, file: number): Change {
    const resolved = { ...link, file };
    this.#changes[link.id] = resolved;
    return resolved;
  }
}

/** Reads the changes of one layer, in the order of its tar. */
export function readChanges(index: LayerIndex, layer: number, table: PathTable, list: ChangeList): Change[] {
  const changes: Change[] = [];
  for (let entry = 0; entry < index.kinds.length; entry++) {
    const kind = index.kinds[entry] as ChangeKind;
    if (kind === 'ignored') continue;
    const target = kind === 'link' ? table.idOf(index.targets.get(entry) as Path) : -1;
    changes.push(
      list.create({
        kind,
        path: table.idOf(index.paths[entry] as Path),
        target,
        layer,
        entry,
        form: 'verbatim',
      }),
    );
  }
  return changes;
}
