/**
 * Compares which names are one file, in the root filesystems of two images. `compare-rootfs.ts` asks it for each path of both.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { show } from './difference.ts';
import type { Rootfs } from './rootfs.ts';

/** Returns the name that stands for all files that may have become one with the file first at this path; null for none. */
export type LinkedName = (path: ByteString) => ByteString | null;

/**
 * Compares which names are one file. Two names must be one file on both sides or on neither, unless it was announced that two files
 * become one. Names that only one side has do not count.
 */
export class LinkComparison {
  readonly #a: Rootfs;
  readonly #b: Rootfs;
  /** The first name of each file of A, among the names that both sides have. */
  readonly #firstOfA = new Map<number, number>();
  /** The same for the files of B. */
  readonly #firstOfB = new Map<number, number>();

  /** For a file of A, the file that it counts as. */
  readonly #joined: ReadonlyMap<number, number>;

  private constructor(a: Rootfs, b: Rootfs, joined: ReadonlyMap<number, number>) {
    this.#a = a;
    this.#b = b;
    this.#joined = joined;
  }

  /** Finds the files that became one, in steps. */
  static *build(a: Rootfs, b: Rootfs, linked: LinkedName): Steps<LinkComparison> {
    return new LinkComparison(a, b, yield* joinSteps(a, b, linked));
  }

  /** The number of files of A that became one with another, as was announced. */
  get joined(): number {
    return this.#joined.size;
  }

  /** Compares one path; null for no difference. Must be called with ascending paths. */
  compare(path: number): { what: 'links'; a: string; b: string } | null {
    const file = this.#a.tree.file[path] as number;
    const was = this.#first(this.#firstOfA, this.#joined.get(file) ?? file, path);
    const is = this.#first(this.#firstOfB, this.#b.tree.file[path] as number, path);
    return was === is ? null : { what: 'links', a: this.#nameOf(was, path), b: this.#nameOf(is, path) };
  }

  #first(known: Map<number, number>, file: number, path: number): number {
    const first = known.get(file);
    if (first === undefined) known.set(file, path);
    return first ?? path;
  }

  #nameOf(first: number, path: number): string {
    return first === path
      ? 'a file of its own'
      : `a hard link to ${show(this.#a.tree.table.paths[first] as Path)}`;
  }
}

/** Joins the files of A that were announced to become one, and did. Returns for each the file that it counts as. */
function* joinSteps(a: Rootfs, b: Rootfs, linked: LinkedName): Steps<Map<number, number>> {
  const { paths } = a.tree.table;
  const joined = new Map<number, number>();
  const rootOf = (file: number): number => {
    let at = file;
    for (let next = joined.get(at); next !== undefined && next !== at; next = joined.get(at)) at = next;
    return at;
  };
  const first = new Map<string, number>();
  for (let path = 0; path < paths.length; path++) {
    if (path % itemsPerStep === itemsPerStep - 1) yield;
    const [was, is] = [a.tree.file[path] as number, b.tree.file[path] as number];
    if (was === 0 || is === 0) continue;
    // The first name of a promoted file has changed, and the name that is left may differ from the announced one.
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
