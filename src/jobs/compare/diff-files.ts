/**
 * Lists the paths that differ between two root filesystems, with what each side has there. `diff.ts` gives it what the engine finds.
 */
import type { Path } from '../../bytes/path.ts';
import type {
  CountedBytes,
  DiffAspect,
  FileAspect,
  FileChange,
  FileDetail,
  FileState,
  FileTotals,
} from '../../analyze/diff/image-diff.ts';
import type { AspectTally } from '../../analyze/diff/verdict.ts';
import type { Aspect } from './difference.ts';
import type { ComparedPath, RootfsPair } from './compare-rootfs.ts';
import type { Rootfs } from './rootfs.ts';

/** What the engine calls the aspects of a path that both sides have. */
const fileAspects: Partial<Record<Aspect, FileAspect>> = {
  kind: 'kind',
  mode: 'mode',
  owner: 'owner',
  time: 'mtime',
  xattr: 'xattr',
  content: 'content',
  stored: 'sparse',
  target: 'target',
  device: 'device',
  links: 'links',
};

/** The aspects that are the contents of a path. */
const ofContents: ReadonlySet<FileAspect> = new Set(['kind', 'content', 'target', 'device']);

/** Returns what a verdict calls an aspect of a path. */
export function aspectOf(what: FileAspect): DiffAspect {
  return ofContents.has(what) ? 'content' : (what as Exclude<FileAspect, 'kind' | 'target' | 'device'>);
}

/** Returns what a list calls an aspect that the engine found in a path of both sides. */
export function fileAspect(what: Aspect): FileAspect {
  return fileAspects[what] as FileAspect;
}

/** Lists of details that are kept to be shared. */
const mostShared = 4096;

/** Collects the paths that differ. */
export class FileList {
  readonly #rootfs: RootfsPair;
  readonly #tally: AspectTally;
  readonly #isSelected: (path: Path) => boolean;
  readonly #sharedDetails = new Map<string, readonly FileDetail[]>();
  readonly #countedA = new Set<number>();
  readonly #countedB = new Set<number>();
  readonly #totals = {
    added: counter(),
    removed: counter(),
    changed: counter(),
    replaced: counter(),
    attributes: counter(),
  };
  readonly changes: FileChange[] = [];
  /** The numbers of the paths of these changes. */
  readonly ids: number[] = [];
  /** By number of the path: whether it differs in what a container sees, other than its attributes. */
  readonly differing: Uint8Array;

  constructor(rootfs: RootfsPair, tally: AspectTally, isSelected: (path: Path) => boolean) {
    this.#rootfs = rootfs;
    this.#tally = tally;
    this.#isSelected = isSelected;
    this.differing = new Uint8Array(rootfs.a.tree.table.paths.length);
  }

  /** Takes a path that differs. */
  readonly add = (compared: ComparedPath): void => {
    const { a, b } = this.#rootfs;
    const { id, was, is, differences } = compared;
    const path = a.tree.table.paths[id] as Path;
    if (!this.#isSelected(path)) return;
    const isOneSided = was === null || is === null;
    const details = isOneSided ? [] : this.#details(differences);
    if (isOneSided || details.some(({ what }) => ofContents.has(what))) this.differing[id] = 1;
    if (isOneSided ? !this.#tally.note('files') : details.length === 0) return;
    const change = was === null ? 'added' : is === null ? 'removed' : changeOf(details);
    const [left, right] = [stateOf(a, id), stateOf(b, id)];
    const isAlike = left !== null && right !== null && isSameState(left, right);
    const states = { a: left, b: isAlike ? left : right };
    this.ids.push(id);
    this.changes.push({ path, change, ...states, details: this.#shared(details) });
    this.#count(change, id, states);
  };

  totals(): FileTotals {
    const { added, removed, changed, replaced, attributes } = this.#totals;
    const { paths, bytes: bytesBefore } = changed;
    return { added, removed, changed: { paths, bytesBefore, bytesAfter: replaced.bytes }, attributes };
  }

  #details(differences: ComparedPath['differences']): FileDetail[] {
    return differences
      .map(({ what, a, b }) => ({ what: fileAspect(what), a, b }))
      .filter(({ what }) => this.#tally.note(aspectOf(what)));
  }

  /** Returns one list for all equal ones, as far as they are few: most paths differ in the same way as many others. */
  #shared(details: readonly FileDetail[]): readonly FileDetail[] {
    const key = JSON.stringify(details);
    const known = this.#sharedDetails.get(key);
    if (known !== undefined) return known;
    if (this.#sharedDetails.size < mostShared) this.#sharedDetails.set(key, details);
    return details;
  }

  #count(change: FileChange['change'], id: number, { a, b }: Pick<FileChange, 'a' | 'b'>): void {
    const totals = this.#totals;
    const [before, after] = [this.#rootfs.a, this.#rootfs.b];
    totals[change].paths++;
    const ofA = a === null ? 0 : bytesOnce(before, id, a, this.#countedA);
    const ofB = b === null ? 0 : bytesOnce(after, id, b, this.#countedB);
    totals[change].bytes += change === 'added' || change === 'attributes' ? ofB : ofA;
    if (change === 'changed') totals.replaced.bytes += ofB;
  }
}

function changeOf(details: readonly FileDetail[]): FileChange['change'] {
  return details.some(({ what }) => ofContents.has(what)) ? 'changed' : 'attributes';
}

function isSameState(a: FileState, b: FileState): boolean {
  return a.kind === b.kind && a.bytes === b.bytes && a.layer === b.layer;
}

function stateOf(rootfs: Rootfs, id: number): FileState | null {
  const kind = rootfs.kindOf(id);
  if (kind === null) return null;
  return { kind, bytes: rootfs.lengthOf(id), layer: rootfs.layerOf(id) };
}

/** Returns the bytes of a file at the first of its names, and 0 at the others. */
function bytesOnce({ tree }: Rootfs, id: number, { bytes }: FileState, counted: Set<number>): number {
  if (bytes === 0) return 0;
  const file = tree.file[id] as number;
  if (counted.has(file)) return 0;
  counted.add(file);
  return bytes;
}

function counter(): { -readonly [Key in keyof CountedBytes]: CountedBytes[Key] } {
  return { paths: 0, bytes: 0 };
}
