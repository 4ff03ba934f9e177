/**
 * Finds the files that a database names, through the symlinks on the way. The readers of databases with lists use it.
 */
import type { Filesystem } from '../filesystem.ts';
import { baseOf, join, type Path } from '../../bytes/path.ts';
import { type ByteString, noBytes } from '../../bytes/bytes.ts';

/** Linux opens no longer names (limits.h, PATH_MAX). */
const longestName = 4096;

/** The files of a list that are in the image, and how many are not. */
export interface Located {
  readonly files: readonly Path[];
  /** Those of the files that stand where the list has a directory, such as `/bin` since /usr was merged. */
  readonly directories: readonly Path[];
  readonly missing: number;
}

/**
 * Finds the files that a database names. A database names files as its packages do, so that symlinks on the way are followed
 * (`/lib/x` is `/usr/lib/x` since /usr was merged), but not in the last component. Each directory is resolved once.
 */
export class FileLocator {
  readonly #fs: Filesystem;
  readonly #directories = new Map<ByteString, Path | null>();

  constructor(fs: Filesystem) {
    this.#fs = fs;
  }

  /** Returns the path of a file of any type; null for a directory, and for a name that the image does not have. */
  locate(name: ByteString): Path | null {
    if (name.length > longestName) return null;
    const slash = name.lastIndexOf('/');
    const base = name.slice(slash + 1);
    if (base === '' || base === '.' || base === '..') return null;
    const directory = this.#directory(slash < 0 ? noBytes : name.slice(0, slash));
    if (directory === null) return null;
    const path = join(directory, base);
    const kind = this.#fs.kind(path);
    return kind === null || kind === 'directory' ? null : path;
  }

  /**
   * Returns the paths of those files that the image has, sorted, each once, and counts the names that it does not have. A name
   * below which the next one lies is that of a directory, and does not count, and neither does a dispensable one.
   */
  locateAll(
    names: Iterable<ByteString>,
    isDispensable: (name: ByteString) => boolean = () => false,
  ): Located {
    const found = new Set<Path>();
    const directories = new Set<Path>();
    let missing = 0;
    let last: ByteString | null = null;
    let before: { readonly name: ByteString; readonly path: Path } | null = null;
    for (const name of names) {
      if (before !== null && name.startsWith(`${before.name}/`)) directories.add(before.path);
      if (last !== null && !name.startsWith(`${last}/`)) missing++;
      last = null;
      const path = this.locate(name);
      before = path === null ? null : { name, path };
      if (path !== null) found.add(path);
      else if (!isDispensable(name) && this.#isMissing(name)) last = name;
    }
    return {
      files: [...found].sort(),
      directories: [...directories],
      missing: last === null ? missing : missing + 1,
    };
  }

  /** Returns whether an image that had this file has lost it: whether nothing, not even a directory, has its name. */
  #isMissing(name: ByteString): boolean {
    const base = baseOf(name);
    if (base === '' || base === '.' || base === '..' || name.length > longestName) return false;
    const directory = this.#directory(name.slice(0, Math.max(0, name.length - base.length - 1)));
    return directory === null || this.#fs.kind(join(directory, base)) === null;
  }

  #directory(name: ByteString): Path | null {
    let known = this.#directories.get(name);
    if (known === undefined) {
      known = this.#fs.resolve(name).path;
      this.#directories.set(name, known);
    }
    return known;
  }
}
