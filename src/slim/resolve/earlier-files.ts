/**
 * The files of the previous version of an image, to be compared with those of the new one. `adopt-noise.ts` asks it for the changes that
 * could stand in for those of a file.
 */
import type { Change, ChangeList } from '../../changeset/change.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import { Tree } from '../../changeset/tree.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import { isSameIdentity } from '../../rootfs/facts/identities.ts';
import type { Steps } from '../../steps.ts';
import { bySource, type FileGroup } from './file-groups.ts';

/** What is known of the entries of both versions, by number of the layer. */
export interface KnownEntries {
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly facts: ReadonlyMap<number, Pick<LayerFacts, 'identities'>>;
  /** New permission bits by change id. */
  readonly modes: ReadonlyMap<number, number>;
}

/** Returns the change of the new version with the data of the file at a path; null for no file. */
export type CarrierAt = (path: number) => Change | null;

/** The bytes of a head without extensions. */
const plainHead = 512;

/** The root filesystem of the previous version, over the paths of both. */
export class EarlierFiles {
  readonly #tree: Tree;
  readonly #list: ChangeList;
  readonly #known: KnownEntries;
  /** By file: how many names it has. */
  readonly #names: Uint32Array;
  readonly #markers: ReadonlyMap<string, Change>;

  private constructor(
    tree: Tree,
    parts: {
      readonly list: ChangeList;
      readonly known: KnownEntries;
      readonly markers: ReadonlyMap<string, Change>;
    },
  ) {
    this.#tree = tree;
    this.#list = parts.list;
    this.#known = parts.known;
    this.#markers = parts.markers;
    const most = tree.file.reduce((highest, file) => Math.max(highest, file), 0);
    this.#names = new Uint32Array(most + 1);
    tree.file.forEach((file, path) => {
      if (file > 0 && tree.node[path] !== 0) this.#names[file] = (this.#names[file] as number) + 1;
    });
  }

  /** Merges the layers of the previous version. @throws LAYER_INVALID */
  static *steps(
    layers: ReadonlyMap<number, readonly Change[]>,
    { table, list }: { readonly table: PathTable; readonly list: ChangeList },
    known: KnownEntries,
  ): Steps<EarlierFiles> {
    const tree = new Tree(table, list);
    const markers = new Map<string, Change>();
    for (const changes of layers.values()) {
      tree.apply(changes, { onLink: (link, file) => void list.resolve(link, file) });
      for (const change of changes)
        if (change.kind === 'whiteout' || change.kind === 'opaque') markers.set(markerKey(change), change);
      yield;
    }
    return new EarlierFiles(tree, { list, known, markers });
  }

  /** Returns the changes of the same file under the same names; null where anything but noise differs. */
  fileLike(group: FileGroup, carrierAt: CarrierAt): FileGroup | null {
    const { data, links } = group;
    if (data === null) return this.#linksLike(group, carrierAt);
    const file = this.#tree.file[data.path] as number;
    if (file <= 0) return null;
    const carrier = this.#list.get(file - 1);
    const paths = [data.path, ...links.map(({ path }) => path)];
    const isAlike =
      this.#names[file] === paths.length &&
      paths.every((path) => this.#tree.file[path] === file) &&
      this.#tree.at(carrier.path)?.id === carrier.id;
    if (!isAlike || !this.#isSame(data, carrier)) return null;
    const others = paths.flatMap((path) => (path === carrier.path ? [] : (this.#tree.at(path) ?? [])));
    others.sort(bySource);
    return leadsTo(carrier, others) ? { data: carrier, links: others } : null;
  }

  /** Returns the links to a file of a layer below, where they were the same links to the same file. */
  #linksLike({ links }: FileGroup, carrierAt: CarrierAt): FileGroup | null {
    const found = links.flatMap(({ path, target }) => {
      const link = this.#tree.at(path);
      const file = this.#tree.file[path] as number;
      const own = carrierAt(path);
      const isAlike =
        link?.kind === 'link' &&
        link.target === target &&
        file > 0 &&
        this.#tree.file[target] === file &&
        own !== null &&
        this.#isSame(own, this.#list.get(file - 1));
      return isAlike ? link : [];
    });
    return found.length === links.length ? { data: null, links: found } : null;
  }

  /** Returns the same directory or marker; null where anything but noise differs. */
  structureLike(change: Change): Change | null {
    if (change.kind !== 'directory') return this.#markers.get(markerKey(change)) ?? null;
    const found = this.#tree.at(change.path);
    if (found?.kind !== 'directory') return null;
    const isSame = change.form === 'made' ? this.#isAsMade(found) : this.#isSame(change, found);
    return isSame ? found : null;
  }

  /** Compares an entry of the new version with one of the previous one in everything but noise. */
  #isSame(a: Change, b: Change): boolean {
    const { indexes, facts } = this.#known;
    const [one, other] = [indexes.get(a.layer), indexes.get(b.layer)];
    const [left, right] = [facts.get(a.layer)?.identities, facts.get(b.layer)?.identities];
    if (one === undefined || other === undefined || left == null || right == null) return false;
    return (
      a.kind === b.kind &&
      this.#modeOf(a, one) === ((other.modes[b.entry] as number) & 0o7777) &&
      one.uids[a.entry] === other.uids[b.entry] &&
      one.gids[a.entry] === other.gids[b.entry] &&
      one.sizes[a.entry] === other.sizes[b.entry] &&
      one.lengths.get(a.entry) === other.lengths.get(b.entry) &&
      isSameIdentity(left, a.entry, right, b.entry)
    );
  }

  #modeOf({ id, file, entry }: Change, { modes }: LayerIndex): number {
    const { modes: given } = this.#known;
    return (given.get(id) ?? given.get(file) ?? modes[entry] ?? 0) & 0o7777;
  }

  /** Tells whether a directory is as those are that no entry states. */
  #isAsMade({ layer, entry }: Change): boolean {
    const index = this.#known.indexes.get(layer);
    if (index === undefined) return false;
    const isOfRoot = index.uids[entry] === 0 && index.gids[entry] === 0;
    return (
      isOfRoot &&
      ((index.modes[entry] as number) & 0o7777) === 0o755 &&
      index.head(entry).length === plainHead
    );
  }
}

function markerKey({ kind, path }: Change): string {
  return `${kind} ${path}`;
}

/** Tells whether each link leads to the data or to a link before it. */
function leadsTo({ path }: Change, links: readonly Change[]): boolean {
  const ready = new Set([path]);
  return links.every((link) => {
    if (link.kind !== 'link' || !ready.has(link.target)) return false;
    ready.add(link.path);
    return true;
  });
}
