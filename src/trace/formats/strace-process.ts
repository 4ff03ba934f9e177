import type { ByteString } from '../../bytes/bytes.ts';
import type { TracedPath } from '../trace.ts';
import { own } from '../trace-sink.ts';

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
  /** A child that is taken for that of the fork which has not returned. */
  guessed: Process | null = null;

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

/** Beyond them, the oldest is forgotten. */
const processLimit = 8192;
/** Bytes of calls that have not returned, of all processes. */
const pendingLimit = 64 << 20;
const unseenLimit = 64;

/** All processes of a trace, by number. */
export class Processes {
  readonly #start: TracedPath;
  readonly #known = new Map<number, Process>();
  /** Those whose fork has not returned. */
  readonly #forking = new Set<Process>();
  /** Children of whom there was no line yet. */
  readonly #unseen = new Map<number, Process>();
  /** Whose lines have no number. */
  #first: Process | null = null;
  #firstPid: number | null = null;
  #isFirstGone = false;
  #pendingBytes = 0;

  constructor(start: TracedPath) {
    this.#start = start;
  }

  /** Whose line this is: null for one without a number. */
  of(pid: number | null): Process {
    if (pid === null) {
      const [last] = this.#known.values();
      if (this.#isFirstGone && this.#known.size === 1 && last !== undefined) return last;
    }
    if (pid === null || pid === this.#firstPid) return (this.#first ??= this.#begin());
    const known = this.#known.get(pid);
    if (known !== undefined) {
      this.#unseen.delete(pid);
      return known;
    }
    if (this.#first === null) {
      this.#firstPid = pid;
      return (this.#first = this.#begin());
    }
    return this.#newcomer(pid, this.#first);
  }

  /** Of whose making nothing was seen yet. */
  #newcomer(pid: number, first: Process): Process {
    const parent = [...this.#forking].at(-1) ?? null;
    // To stderr, the first process has no number until there is a second one.
    if (parent === null && this.#firstPid === null) {
      this.#firstPid = pid;
      return first;
    }
    // In a PID namespace of its own, a parent calls its child by another number.
    const unseen = parent === null ? [...this.#unseen].at(-1) : undefined;
    if (unseen !== undefined) {
      const [number, process] = unseen;
      this.#unseen.delete(number);
      this.#known.delete(number);
      this.#enter(pid, process);
      return process;
    }
    const maker = parent ?? first;
    const child = maker.child(maker.pending ?? '');
    child.guess = maker;
    if (parent !== null) parent.guessed = child;
    this.#enter(pid, child);
    return child;
  }

  /** A fork has returned. `text`: the call. */
  forked(parent: Process, pid: number, text: string): void {
    if (!(pid > 0)) return;
    const known = this.#known.get(pid);
    const { guessed } = parent;
    parent.guessed = null;
    if (known === undefined && guessed !== null) return;
    if (known !== undefined && (known.guess === parent || known.guess === null || known.place.isKnown)) {
      known.guess = null;
      return;
    }
    const child = parent.child(text);
    this.#enter(pid, child);
    if (known !== undefined) return;
    if (this.#unseen.size >= unseenLimit) this.#unseen.delete(this.#unseen.keys().next().value as number);
    this.#unseen.set(pid, child);
  }

  /** strace says that there is a new process, in the midst of the call of `parent` that makes it, or on its own (null). */
  attached(pid: number, parent: Process | null, text: string): void {
    if (this.#known.has(pid)) return;
    const maker = parent ?? [...this.#forking].at(-1) ?? this.#first;
    if (maker === null) return;
    const child = maker.child(parent === null ? (maker.pending ?? '') : text);
    child.guess = maker;
    maker.guessed = child;
    this.#enter(pid, child);
  }

  /** Keeps the beginning of a call. */
  suspend(process: Process, text: ByteString, isFork: boolean): void {
    this.resume(process);
    if (this.#pendingBytes + text.length > pendingLimit) return;
    process.pending = own(text);
    this.#pendingBytes += text.length;
    if (isFork) this.#forking.add(process);
  }

  /** Gives it back, once. */
  resume(process: Process): ByteString | null {
    const { pending } = process;
    if (pending !== null) this.#pendingBytes -= pending.length;
    process.pending = null;
    this.#forking.delete(process);
    return pending;
  }

  /** It has ended; its number may be used again. */
  forget(pid: number | null): void {
    if (pid === null) return;
    if (pid === this.#firstPid) this.#isFirstGone = true;
    this.#unseen.delete(pid);
    const process = this.#known.get(pid);
    if (process === undefined) return;
    this.resume(process);
    this.#known.delete(pid);
  }

  #begin(): Process {
    return new Process({ cwd: this.#start, isKnown: false, root: '', contained: false });
  }

  #enter(pid: number, process: Process): void {
    if (this.#known.size >= processLimit) this.forget(this.#known.keys().next().value ?? null);
    this.#known.set(pid, process);
  }
}
