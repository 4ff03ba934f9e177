/**
 * The processes of a trace by strace: where each is, what its descriptors lead to, and which made which. `strace.ts` asks for
 * the process of each line; `strace-effects.ts` changes it.
 */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import type { TracedPath } from '../trace.ts';
import { own } from '../own-copy.ts';
import type { TraceUser } from '../trace-sink.ts';
import { MiB } from '../../units.ts';

/**
 * Where a process is. Processes that were cloned with CLONE_FS share one (clone(2)). Paths are as the tracer saw them, not
 * as a process does that has changed its root.
 */
export interface Place {
  /** The working directory. */
  cwd: TracedPath;
  /** Whether the trace has shown `cwd`. If not, it is the assumption with which the trace began. */
  isKnown: boolean;
  /** The root after chroot(2); '' for that of the tracer. */
  root: TracedPath;
  /** Whether names are those of a container, after pivot_root(2) or setns(2): `--trace-root` does not apply to them. */
  contained: boolean;
}

/** The most descriptors of a process that are remembered. Few programs have more, and use the oldest as a directory. */
const fileLimit = 512;

/** What open descriptors lead to. A fork shares the map with its parent until one of them changes it. */
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
  /** The program that the process executes, as it was named; '' for one that was started before the trace. */
  program: ByteString = noBytes;
  /** The effective user that the process has become; null for that as which the program started: see `Processes.idOf`. */
  uid: number | null = null;
  /** The same of its group. */
  gid: number | null = null;
  /** The first half of a call that has not returned. */
  pending: ByteString | null = null;
  /** The parent, as long as it is a guess: no fork has returned the number of this process yet. */
  guess: Process | null = null;
  /** The process that was taken for the child of a fork of this one which has not returned. */
  guessed: Process | null = null;

  constructor(place: Place, files = new Files(new Map())) {
    this.place = place;
    this.files = files;
  }

  /** Returns the child that a fork or clone makes. `text` is the call, whose flags say what both share. */
  child(text: string): Process {
    const child = new Process(
      text.includes('CLONE_FS') ? this.place : { ...this.place },
      text.includes('CLONE_FILES') ? this.files : this.files.copy(),
    );
    child.program = this.program;
    child.uid = this.uid;
    child.gid = this.gid;
    return child;
  }
}

/** The most processes that are remembered: beyond them, the oldest is forgotten. */
const processLimit = 8192;
/** The most bytes of calls that have not returned, of all processes together. */
const pendingLimit = 64 * MiB;
/** The most children that are remembered before their first line. */
const unseenLimit = 64;

/**
 * All processes of a trace, by number. The first line of a child may precede the line in which its parent's fork returns, and
 * within a PID namespace the two may call it by different numbers. So the parent of a new process may be a guess, which the
 * returned fork confirms or replaces.
 */
export class Processes {
  readonly #start: TracedPath;
  readonly #known = new Map<number, Process>();
  /** Processes inside a fork that has not returned, in the order of its begin. */
  readonly #forking = new Set<Process>();
  /** Children that a fork returned, before their first line. */
  readonly #unseen = new Map<number, Process>();
  /** The traced command. Its lines have no number as long as it is the only process (strace to stderr), or without -f. */
  #first: Process | null = null;
  #firstPid: number | null = null;
  #isFirstGone = false;
  #pendingBytes = 0;
  /** The user and the group as which the program started, as far as they are known. */
  readonly #begun: { uid: number | null; gid: number | null };

  constructor(start: TracedPath, user: TraceUser | null = null) {
    this.#start = start;
    this.#begun = { uid: user?.uid ?? null, gid: user?.gid ?? null };
  }

  /** Returns the user or the group of a process; null where that is the one as which the program started, and not known. */
  idOf(process: Process, which: 'uid' | 'gid'): number | null {
    return process[which] ?? this.#begun[which];
  }

  /** Records the user or the group that a process turned out to have. */
  learn(process: Process, which: 'uid' | 'gid', id: number): void {
    if (process[which] === null) this.#begun[which] ??= id;
  }

  /** Returns the process of a line. `pid` is null for a line without a number. */
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

  /** Returns the process of this number; null for one that the trace has not shown. */
  known(pid: number): Process | null {
    return (pid === this.#firstPid ? this.#first : this.#known.get(pid)) ?? null;
  }

  /** Returns the process of a number that no fork has returned yet. */
  #newcomer(pid: number, first: Process): Process {
    const parent = [...this.#forking].at(-1) ?? null;
    // With output to stderr, the first process has no number until there is a second one.
    if (parent === null && this.#firstPid === null) {
      this.#firstPid = pid;
      return first;
    }
    // A parent in a PID namespace of its own has called this child by another number.
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

  /** Records that a fork has returned this number. `text` is the call. */
  forked(parent: Process, pid: number, text: string): void {
    if (!(pid > 0)) return;
    const known = this.#known.get(pid);
    const { guessed } = parent;
    parent.guessed = null;
    // The child was seen before, by another number: the returned one is that of another PID namespace.
    if (known === undefined && guessed !== null) return;
    // The child was seen before, and either was taken for a child of this parent, or is known to be where it is.
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

  /**
   * Records the message of strace that a process is new. `parent` is the process whose call it interrupts, and `text` that
   * call; null where the message has a line of its own.
   */
  attached(pid: number, parent: Process | null, text: string): void {
    if (this.#known.has(pid)) return;
    const maker = parent ?? [...this.#forking].at(-1) ?? this.#first;
    if (maker === null) return;
    const child = maker.child(parent === null ? (maker.pending ?? '') : text);
    child.guess = maker;
    maker.guessed = child;
    this.#enter(pid, child);
  }

  /** Keeps the first half of a call, for `resume`. Without room for it, the call is not looked at. */
  suspend(process: Process, text: ByteString, isFork: boolean): void {
    this.resume(process);
    if (this.#pendingBytes + text.length > pendingLimit) return;
    process.pending = own(text);
    this.#pendingBytes += text.length;
    if (isFork) this.#forking.add(process);
  }

  /** Returns the first half of the call of a process, and forgets it. Null where none was kept. */
  resume(process: Process): ByteString | null {
    const { pending } = process;
    if (pending !== null) this.#pendingBytes -= pending.length;
    process.pending = null;
    this.#forking.delete(process);
    return pending;
  }

  /** Records that a process has ended: Linux may give its number to another one. */
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
    return new Process({ cwd: this.#start, isKnown: false, root: noBytes, contained: false });
  }

  #enter(pid: number, process: Process): void {
    if (this.#known.size >= processLimit) this.forget(this.#known.keys().next().value ?? null);
    this.#known.set(pid, process);
  }
}
