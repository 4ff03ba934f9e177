import type { Filesystem } from '../filesystem.ts';
import { join, type Path } from '../../bytes/path.ts';
import { type ByteString, noBytes } from '../../bytes/bytes.ts';

/** Linux opens no longer names (limits.h, PATH_MAX). */
const longestName = 4096;

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

  /** Returns the paths of those files that the image has, sorted, each once. */
  locateAll(names: Iterable<ByteString>): readonly Path[] {
    const found = new Set<Path>();
    for (const name of names) {
      const path = this.locate(name);
      if (path !== null) found.add(path);
    }
    return [...found].sort();
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
