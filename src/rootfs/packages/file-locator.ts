import type { Filesystem } from '../filesystem.ts';
import { join, type Path } from '../../bytes/path.ts';
import { type ByteString, noBytes } from '../../bytes/bytes.ts';

/** Linux opens no longer ones (limits.h, PATH_MAX). */
const longestName = 4096;

/**
 * Finds in the image what a database calls a file. Databases name what they unpacked, so symlinks on the way are followed
 * (`/lib/x` is `/usr/lib/x` by now), the last component is not. Directories are resolved once each.
 */
export class FileLocator {
  readonly #fs: Filesystem;
  readonly #directories = new Map<ByteString, Path | null>();

  constructor(fs: Filesystem) {
    this.#fs = fs;
  }

  /** Where it is, whatever it is but a directory; null for what is not in the image. */
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

  /** All that are there, sorted, each once. */
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
