/** Adds up files that could go, by place. The findings of a pruning keep one for each kind of what they look for. */
import type { Path } from '../../bytes/path.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';

/** Files that lie together. */
export interface Place {
  readonly path: Path;
  readonly files: number;
  /** Bytes of these files. */
  readonly bytes: number;
}

/** A file (inode), by the first of its names that was added. */
interface Added {
  readonly path: Path;
  readonly place: Path;
  readonly bytes: number;
  names: number;
}

/** Collects files of one root filesystem. A file of several names counts once. */
export class Tally {
  readonly #fs: Filesystem;
  readonly #files = new Map<number, Added>();

  constructor(fs: Filesystem) {
    this.#fs = fs;
  }

  /** Adds a name of a file, which lies in a place. */
  add(path: Path, place: Path): void {
    const id = this.#fs.carrier(path)?.id;
    if (id === undefined) return;
    const known = this.#files.get(id);
    if (known === undefined) this.#files.set(id, { path, place, bytes: this.#fs.size(path), names: 1 });
    else known.names++;
  }

  /** Returns the number of files and their bytes by place, the heaviest place first. */
  places(): readonly Place[] {
    return placesOf(this.#files.values());
  }

  /** Returns the same of the files that would be gone: those without another name that was not added. */
  removable(): readonly Place[] {
    return placesOf(
      [...this.#files.values()].filter(({ path, names }) => this.#fs.names(path).length === names),
    );
  }
}

function placesOf(files: Iterable<Added>): readonly Place[] {
  const places = new Map<Path, { path: Path; files: number; bytes: number }>();
  for (const { place, bytes } of files) {
    const sum = places.get(place);
    if (sum === undefined) places.set(place, { path: place, files: 1, bytes });
    else {
      sum.files++;
      sum.bytes += bytes;
    }
  }
  return [...places.values()].sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
}
