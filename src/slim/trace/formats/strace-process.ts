import type { TracedPath } from '../trace.ts';

/** Where a process is: shared by those that were cloned with CLONE_FS. Paths are as the tracer saw them. */
export interface Place {
  /** From where relative names count. */
  cwd: TracedPath;
  /** Was that seen, or is it what we take for granted? */
  isKnown: boolean;
  /** After chroot. */
  root: TracedPath;
  /** After pivot_root or setns: names are those of the container, whatever is outside. */
  contained: boolean;
}

/** A program with this many open files is rare, and one that names files relative to the oldest of them rarer. */
const fileLimit = 512;

/** What open descriptors lead to. Forks share it until one of them changes something. */
class Files {
  #paths: Map<number, TracedPath>;
  #isShared = false;

  constructor(paths: Map<number, TracedPath>) {
    this.#paths = paths;
  }

  get(fd: number): TracedPath | null {
    return this.#paths.get(fd) ?? null;
  }

  set(fd: number, path: TracedPath | null): void {
    if ((this.#paths.get(fd) ?? null) === path) return;
    if (this.#isShared) {
      this.#paths = new Map(this.#paths);
      this.#isShared = false;
    }
    this.#paths.delete(fd);
    if (path === null) return;
    if (this.#paths.size >= fileLimit) this.#paths.delete(this.#paths.keys().next().value as number);
    this.#paths.set(fd, path);
  }

  copy(): Files {
    this.#isShared = true;
    const copy = new Files(this.#paths);
    copy.#isShared = true;
    return copy;
  }
}

export class Process {
  place: Place;
  files: Files;
  /** The beginning of a call that has not returned. */
  pending: string | null = null;
  /** Who made it, as long as that is a guess. */
  guess: Process | null = null;

  constructor(place: Place, files = new Files(new Map())) {
    this.place = place;
    this.files = files;
  }

  /** What a fork or clone with these arguments makes. */
  child(text: string): Process {
    return new Process(
      text.includes('CLONE_FS') ? this.place : { ...this.place },
      text.includes('CLONE_FILES') ? this.files : this.files.copy(),
    );
  }
}
