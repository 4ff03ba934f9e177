/**
 * Links files of one layer that are the same (`--dedupe-hardlink`). `resolve` calls it on the changes of a rewritten layer, after
 * everything else.
 */
import type { Change, ChangeList } from '../../changeset/change.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';

/** A file that becomes a hard link to another file of its layer, which differs from it in the path alone. */
export interface LinkedDuplicate {
  readonly link: Change;
  /** The file that carries the data. */
  readonly to: Change;
  /** The bytes of the data, without padding. */
  readonly size: number;
}

/** The most names of one file. Filesystems have a limit (65,000 for ext4), and so have some programs: this is far below it. */
export const maxNames = 1000;

const setIdBits = 0o6000;

/**
 * Makes hard links of the files of one layer that are the same in contents and all attributes: permissions, owner, time,
 * extended attributes, since names of one file share them. The one with the first path keeps the data. Left alone: sparse
 * files, those without data, and those with setuid bits or capabilities, which gain nothing from a second name.
 * `twinOf` returns what the change of a file has in common with those that it could become one with; files without that stay.
 */
export function linkDuplicates(
  changes: readonly Change[],
  list: ChangeList,
  indexes: ReadonlyMap<number, LayerIndex>,
  twinOf: (change: Change) => string | undefined,
): { readonly changes: readonly Change[]; readonly linked: readonly LinkedDuplicate[] } {
  const names = countNames(changes);
  const candidates: { readonly change: Change; readonly twin: string }[] = [];
  for (const change of changes) {
    if (change.kind !== 'file') continue;
    const index = indexes.get(change.layer) as LayerIndex;
    if (((index.modes[change.entry] as number) & setIdBits) !== 0 || index.capable.has(change.entry))
      continue;
    const twin = twinOf(change);
    if (twin !== undefined) candidates.push({ change, twin });
  }
  candidates.sort((a, b) => a.change.path - b.change.path);
  const carriers = new Map<string, { readonly change: Change; names: number }>();
  const linked: LinkedDuplicate[] = [];
  const gone = new Set<number>();
  for (const { change, twin } of candidates) {
    const own = names.get(change.path) ?? 1;
    const carrier = carriers.get(twin);
    if (carrier === undefined || carrier.names + own > maxNames) {
      carriers.set(twin, { change, names: own });
      continue;
    }
    carrier.names += own;
    const link = list.create({
      ...change,
      kind: 'link',
      target: carrier.change.path,
      form: 'linked',
      file: carrier.change.file,
    });
    gone.add(change.id);
    const size = (indexes.get(change.layer) as LayerIndex).sizes[change.entry] as number;
    linked.push({ link, to: carrier.change, size });
  }
  if (linked.length === 0) return { changes, linked };
  const others = changes.filter(({ id }) => !gone.has(id));
  // Older links may name what is a link now, so that they come after.
  const firstLink = others.findIndex(({ kind }) => kind === 'link');
  const at = firstLink < 0 ? others.length : firstLink;
  const links = linked.map(({ link }) => link);
  return { changes: [...others.slice(0, at), ...links, ...others.slice(at)], linked };
}

/** Returns how many names a file has in this layer, by path of the entry with the data, where it has more than one. */
function countNames(changes: readonly Change[]): Map<number, number> {
  const names = new Map<number, number>();
  const carriers = new Map<number, number>();
  for (const { kind, path, target } of changes) {
    if (kind === 'file') carriers.set(path, path);
    const carrier = kind === 'link' ? carriers.get(target) : undefined;
    if (carrier === undefined) continue;
    carriers.set(path, carrier);
    names.set(carrier, (names.get(carrier) ?? 1) + 1);
  }
  return names;
}
