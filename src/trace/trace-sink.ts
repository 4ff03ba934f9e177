/**
 * Collects what a format finds in one file: paths with their uses, system calls, and lines that make no sense. `TraceReader`
 * makes one sink for each file, and hands it to the reader of its format.
 */
import { defaultLimits, exceeded, type Limits } from '../limits.ts';
import type { Digest } from '../oci/digest.ts';
import { type ByteString, noBytes, ascii, asByteString } from '../bytes/bytes.ts';
import { AbsentNames } from './absent-names.ts';
import {
  bothUses,
  type NameChange,
  type NotInImage,
  type RunEnd,
  type Trace,
  type TracedPath,
  type Unreadable,
  type Uses,
  uses,
} from './trace.ts';
import { own } from './own-copy.ts';
import type { Capability } from './rights.ts';
import { below, started, tracedPath } from './traced-path.ts';
import { MiB } from '../units.ts';

/** What the caller knows about a trace beforehand. */
export interface TraceOptions {
  /** The directory in which the program was started. Default: not known, see `TracedPath`. */
  readonly workingDir?: ByteString;
  /** The roots of containers on the traced machine (`--trace-root`), absolute. Default: paths count from the root. */
  readonly roots?: readonly ByteString[];
  readonly limits?: Partial<TraceLimits>;
  /** Whether to collect the names that calls did not find, as far as the format shows them (strace). Default: no. */
  readonly absent?: boolean;
  /** The user as which the traced program started. Default: not known. */
  readonly user?: TraceUser;
  /** Bytes of the file. Default: unknown until it has been read. */
  readonly size?: number | null;
}

/** The user and the group of a process, as it sees their numbers. */
export interface TraceUser {
  readonly uid: number;
  readonly gid: number;
}

/** Bounds of what a trace may make the reader hold. */
export interface TraceLimits extends Pick<Limits, 'trace-bytes' | 'trace-paths' | 'trace-path-bytes'> {
  /** The most bytes of a line (record). A longer one counts as unreadable. Default: 1 MiB. */
  readonly line: number;
}

/** How a process sees the files of the machine. */
export interface View {
  /** Its root, as the tracer saw it: where absolute names count from after chroot(2). */
  readonly root: TracedPath;
  /** Whether it is inside of a container, whose names have no `--trace-root` in front. */
  readonly contained: boolean;
}

const plainView: View = { root: noBytes, contained: false };

/**
 * The use of a directory that was opened as one (O_DIRECTORY). It counts as listed only in a trace without listings, where
 * nothing else could show them. The bit exists only within a sink.
 */
export const openedDirectory: Uses = 1 << 16;

/**
 * The uses of names that were not there: a name was asked for, or was to be created. Other bits beside these mean nothing. They exist only
 * within a sink.
 */
export const notFound: Uses = 1 << 17;
export const notCreated: Uses = 1 << 18;

/** A use that is recorded later than it came, so that it says nothing about what came first. The bit exists only within a sink. */
export const outOfOrder: Uses = 1 << 19;

/** The most names of system calls: no kernel has as many. */
const syscallLimit = 4096;
/** The most kinds of sockets: families times types, of which Linux has fewer. */
const socketLimit = 512;
/** The most unreadable lines that are kept to be shown, and the most bytes of each. */
const sampleLimit = 5;
const sampleLength = 200;

export class TraceSink {
  /** The name of the file in messages. */
  readonly file: string;
  readonly limits: TraceLimits;
  /** The directory from which relative paths count until the trace tells another, as the tracer saw it. */
  readonly start: TracedPath;
  /** The user as which the traced program started; null where that is not known. */
  readonly user: TraceUser | null;
  readonly #roots: readonly TracedPath[];
  readonly #paths = new Map<TracedPath, Uses>();
  readonly #changes = new Map<string, NameChange>();
  readonly #syscalls = new Map<string, number>();
  readonly #samples: Unreadable['samples'][number][] = [];
  /** Null: they are not asked for. */
  readonly #absent: AbsentNames | null;
  readonly #sockets = new Set<string>();
  readonly #capabilities = new Map<Capability, Set<string>>();
  #unreadable = 0;
  #pathBytes = 0;
  #outside = 0;
  /** These are set by the reader of the format; `Trace` has the same. */
  lines = 0;
  formats: readonly string[] = [];
  platform: string | null = null;
  image: Digest | null = null;
  command: readonly ByteString[] | null = null;
  hasAllSyscalls = false;
  hasAllRights = false;
  knowsExecs = false;
  ends: readonly RunEnd[] = [];
  notInImage: NotInImage | null = null;
  gaps: readonly string[] = [];
  isBlind = false;

  constructor(file: string, options: TraceOptions = {}) {
    const { workingDir, roots = [], limits = {}, absent = false, user = null } = options;
    this.file = file;
    this.user = user;
    this.limits = { line: MiB, ...defaultLimits, ...limits };
    this.#absent = absent ? new AbsentNames(this.limits) : null;
    this.#roots = roots.map((root) => tracedPath(noBytes, root.replace(/^\/+/, '')) ?? noBytes);
    const [root = noBytes] = this.#roots;
    this.start =
      workingDir === undefined
        ? root === ''
          ? started
          : ascii`${root}/${started}`
        : (tracedPath(root, workingDir.replace(/^\/+/, '')) ?? noBytes);
  }

  /**
   * Records a use of a path as a program wrote it, absolute or relative to `directory`, which is as the tracer saw it. A path
   * outside of all `--trace-root`s is counted and left out. Returns false for text that no system call takes as a path.
   *
   * @throws LIMIT for too many paths
   */
  use(path: ByteString, uses: Uses, directory: TracedPath = this.start, view: View = plainView): boolean {
    const located = this.locate(path, directory, view);
    if (located === null) return false;
    if ((uses & (notFound | notCreated)) !== 0) this.#miss(located, uses);
    else if (located === 'outside') this.#outside++;
    else this.#add(located.path, uses);
    return true;
  }

  /**
   * Returns where a path counts from the root of the container, as `use` reads it; `outside` for one outside of all
   * `--trace-root`s, and null for text that no system call takes as a path.
   */
  locate(
    path: ByteString,
    directory: TracedPath = this.start,
    view: View = plainView,
  ): { readonly path: TracedPath } | 'outside' | null {
    const { root, contained } = view;
    const traced =
      root !== '' && path.startsWith('/')
        ? tracedPath(root, path.replace(/^\/+/, ''))
        : tracedPath(directory, path);
    if (traced === null) return null;
    if (contained || this.#roots.length === 0) return { path: below(root, traced) ?? traced };
    for (const each of this.#roots) {
      const rest = below(each, traced);
      if (rest !== null) return { path: rest };
    }
    return 'outside';
  }

  /** Records a change of names, whose paths count from the root of the container. @throws LIMIT for too many */
  change(change: NameChange): void {
    const rest = change.kind === 'symlink' ? change.target : change.from;
    const key = `${change.kind}\0${change.path}\0${rest}`;
    if (this.#changes.has(key)) return;
    this.#checkRoom(key.length);
    const path = own(change.path);
    this.#changes.set(
      own(asByteString(key)),
      change.kind === 'symlink'
        ? { kind: 'symlink', path, target: own(rest) }
        : { kind: 'moved', path, from: own(rest) },
    );
  }

  /** Records a use of a path that counts from the root of the container already. Returns false as `use` does. */
  inside(path: ByteString, uses: Uses): boolean {
    const traced = tracedPath(path === started || path.startsWith(`${started}/`) ? started : noBytes, path);
    if (traced !== null) this.#add(traced, uses, bothUses);
    return traced !== null;
  }

  /** Adds uses of a path. `join`: how they join those that are known. */
  #add(path: TracedPath, added: Uses, join = laterUses): void {
    // The root itself always exists.
    if (path === '') return;
    const known = this.#paths.get(path);
    if (known === undefined) {
      this.#checkRoom(path.length);
      // V8 represents a slice of a line by a reference to it, which would keep the whole chunk in memory.
      this.#paths.set(own(path), (added & outOfOrder) === 0 ? added : unreplaced(added));
      return;
    }
    const joined = join(known, added);
    if (joined !== known) this.#paths.set(path, joined);
  }

  /** Notes a name that was not there. One that was in use before was made and removed by the run. */
  #miss(located: { readonly path: TracedPath } | 'outside', bits: Uses): void {
    if (located === 'outside') return;
    const known = this.#paths.get(located.path) ?? 0;
    if ((known & ~(uses.fail | uses.failLink)) !== 0) return;
    if ((bits & notCreated) === 0) this.#absent?.add(located.path);
    else this.#absent?.addCreated(located.path);
  }

  /** Whether names that were not there are asked for. */
  get collectsAbsent(): boolean {
    return this.#absent !== null;
  }

  /** The names that calls did not find, each once. Empty where they were not asked for. */
  get absent(): readonly TracedPath[] {
    return this.#absent?.all ?? [];
  }

  /** Takes room for a path, or a change of names. @throws LIMIT */
  #checkRoom(bytes: number): void {
    const { limits, file } = this;
    const known = this.#paths.size + this.#changes.size;
    if (known >= limits['trace-paths'])
      throw exceeded('trace-paths', limits, file, {
        says: `it names more than ${known} paths`,
        atLeast: known + 1,
      });
    this.#pathBytes += bytes;
    const most = limits['trace-path-bytes'];
    if (this.#pathBytes > most)
      throw exceeded('trace-path-bytes', limits, file, {
        says: `its paths have more than ${most} bytes`,
        atLeast: this.#pathBytes,
      });
  }

  /** Notes that a program had files opened through io_uring, which a tracer of system calls does not see. */
  noteRing(): void {
    this.isBlind = true;
    this.gaps = ['does not show what was opened through io_uring'];
  }

  /** Counts calls of one name. */
  syscall(name: string, count = 1): void {
    const known = this.#syscalls.get(name);
    if (known !== undefined) this.#syscalls.set(name, known + count);
    else if (this.#syscalls.size < syscallLimit) this.#syscalls.set(own(asByteString(name)), count);
  }

  /** Records that a socket was made: address family and type, "inet stream". */
  socket(kind: string): void {
    if (this.#sockets.size < socketLimit) this.#sockets.add(kind);
  }

  /** Records that a call needed a capability to succeed. `call` is the name of the system call. */
  capability(capability: Capability, call: string): void {
    const calls = this.#capabilities.get(capability);
    if (calls === undefined) this.#capabilities.set(capability, new Set([own(asByteString(call))]));
    else if (calls.size < syscallLimit && !calls.has(call)) calls.add(own(asByteString(call)));
  }

  get syscalls(): ReadonlyMap<string, number> {
    return this.#syscalls;
  }

  /** Counts a record that makes no sense, and keeps the first few. `line` counts from 1. */
  reject(text: ByteString, line: number): void {
    this.#unreadable++;
    if (this.#samples.length < sampleLimit)
      this.#samples.push({ file: this.file, line, text: own(text.slice(0, sampleLength)) });
  }

  /** Returns what was collected. It may be without any path: see `checkTrace`. */
  finish(): Trace {
    return {
      name: this.file,
      formats: this.formats,
      platform: this.platform,
      image: this.image,
      paths: this.#settledPaths(),
      changes: [...this.#changes.values()],
      ends: this.ends,
      notInImage: this.notInImage,
      gaps: this.gaps,
      isBlind: this.isBlind,
      knowsExecs: this.knowsExecs,
      syscalls: this.#syscalls,
      hasAllSyscalls: this.hasAllSyscalls,
      rights: {
        isComplete: this.hasAllRights,
        sockets: this.#sockets,
        capabilities: this.#capabilities,
      },
      command: this.command,
      outside: this.#outside,
      lines: this.lines,
      unreadable: { count: this.#unreadable, samples: this.#samples },
    };
  }

  /** Decides what the directories were opened for. */
  #settledPaths(): ReadonlyMap<TracedPath, Uses> {
    const showsListings = this.#syscalls.has('getdents64') || this.#syscalls.has('getdents');
    for (const [path, bits] of this.#paths)
      if ((bits & openedDirectory) !== 0)
        this.#paths.set(path, (bits & ~openedDirectory) | (showsListings ? uses.stat : uses.list));
    return this.#paths;
  }
}

/** The uses by which a run removes a name. */
const removal: Uses = uses.write | uses.link;

/** Returns the uses of a path with those of a later call. One that was replaced stays so while it is replaced again or removed. */
function laterUses(known: Uses, added: Uses): Uses {
  const isKnown = (known & uses.replaced) !== 0 && (added & outOfOrder) === 0;
  const isReplaced = isKnown && ((added & uses.replaced) !== 0 || added === removal);
  return isReplaced ? known | added : unreplaced(known | added);
}

function unreplaced(bits: Uses): Uses {
  return bits & ~(uses.replaced | outOfOrder);
}
