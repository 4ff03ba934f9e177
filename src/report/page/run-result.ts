/** Reads off the contents of the new layers what they hold of the old ones. `files-of-run.ts` calls it. */
import type { Path } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import type { LayerEdit } from '../../changeset/edit.ts';
import { EntryActions } from '../../changeset/entry-actions.ts';
import { EntrySet } from '../../changeset/entry-set.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { numbersIn } from '../../image/image.ts';
import type { Resolution, ResolvedContent } from '../../slim/resolve/resolve.ts';
import { type Row, rowKindOf } from './collect-files.ts';
import type { Fate } from './page.ts';
import { edited, linked, moved, restored } from './run-fates.ts';

/** A file of the result that no entry of the source stands for. */
export interface Added extends Omit<Row, 'path' | 'fate'> {
  readonly path: Path;
  readonly fate: Fate;
}

/** What the new layers hold of the old ones. */
export class After {
  /** Entries of rewritten layers that are in the result under their names. */
  readonly #kept = new EntrySet();
  /** Layers that stay as they are. */
  readonly #stored = new Set<number>();
  readonly added: Added[] = [];
  /** Returns what of the source an entry of its previous version stands for. */
  readonly #standsFor: (layer: number, entry: number) => Change | null;

  /** Reads the contents of all layers. `indexes` by source layer number, those of an original included. */
  constructor(
    { contents, relayered }: Pick<Resolution, 'contents'> & Partial<Pick<Resolution, 'relayered'>>,
    indexes: ReadonlyMap<number, LayerIndex>,
  ) {
    this.#standsFor = relayered?.adopted?.standsFor ?? (() => null);
    for (const content of contents) {
      if (content.kind === 'stored') this.#stored.add(content.layer);
      else if (content.kind !== 'added') this.#addEdit(content, indexes);
    }
  }

  /** Tells whether an entry of a source layer is in the result. Directories and markers are not known. */
  has(layer: number, entry: number): boolean {
    return this.#stored.has(layer) || this.#kept.has(layer, entry);
  }

  #addEdit(
    content: Exclude<ResolvedContent, { kind: 'stored' | 'added' }>,
    indexes: ReadonlyMap<number, LayerIndex>,
  ): void {
    const isEdited = content.kind === 'edited';
    const written: Written = {
      own: isEdited ? numbersIn(content.range) : [],
      fate: isEdited ? moved : restored,
      // What is restored comes as a layer of its own; the numbers of the original's layers mean nothing to a reader.
      layer: isEdited ? null : content.above + 1,
    };
    for (const { layer, actions } of content.edit.sources)
      this.#addData(layer, actions, indexes.get(layer) as LayerIndex, written);
    this.#addLinks(content.edit, indexes, written);
  }

  /** Notes what is kept of a layer, and what is written under another name, as another kind, or into another layer. */
  #addData(source: number, actions: EntryActions, index: LayerIndex, { own, fate, layer }: Written): void {
    const isOwn = own.includes(source);
    const at = { layer: layer ?? source, fate };
    for (const [entry, action] of actions) {
      const own = this.#standsFor(source, entry);
      if (own !== null) {
        this.#kept.add(own.layer, own.entry);
        continue;
      }
      const kind = rowKindOf(index, entry) ?? 'other';
      const size = kind === 'file' ? (index.sizes[entry] as number) : 0;
      const path = index.paths[entry] as Path;
      if (action.kind === 'rename') this.added.push({ ...at, path: action.path, size, kind });
      else if (action.kind === 'link')
        this.added.push({ ...at, path: action.path ?? path, size: 0, kind: 'hardlink', fate: linked });
      else if (action.kind === 'replace')
        this.added.push({
          ...at,
          path: action.path ?? path,
          size: action.contents.bytes.length,
          kind,
          fate: edited,
        });
      else if (isOwn) this.#kept.add(source, entry);
      else this.added.push({ ...at, path, size, kind });
    }
  }

  /** Notes for each written link the uppermost entry that it may be. */
  #addLinks(
    { linkNames }: LayerEdit,
    indexes: ReadonlyMap<number, LayerIndex>,
    { own, fate, layer }: Written,
  ): void {
    const wanted = new Set(linkNames);
    for (const number of own.toReversed()) {
      const index = indexes.get(number);
      if (index === undefined || wanted.size === 0) continue;
      for (const entry of [...index.targets.keys()].toReversed()) {
        const path = index.paths[entry] as Path;
        if (index.kinds[entry] === 'link' && wanted.delete(path)) this.#kept.add(number, entry);
      }
    }
    for (const path of wanted)
      this.added.push({ path, size: 0, layer: layer ?? own[0] ?? 1, kind: 'hardlink', fate });
  }
}

/** What one edit writes. */
interface Written {
  /** The source layers in whose place it is written. */
  readonly own: readonly number[];
  /** The fate of what comes from elsewhere. */
  readonly fate: Fate;
  /** The number to show for it; null for that of the source layer. */
  readonly layer: number | null;
}
