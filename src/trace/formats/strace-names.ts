/**
 * The names among the arguments of strace's calls: where each leads, as far as the trace tells, and its use by the call. What a
 * call changes about its process is for `strace-effects.ts`, which asks here for every name.
 */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { type TracedPath, type Uses, uses } from '../trace.ts';
import { own } from '../own-copy.ts';
import { outOfOrder, type TraceSink } from '../trace-sink.ts';
import { tracedPath } from '../traced-path.ts';
import type { Target } from './strace-calls.ts';
import type { Place } from './strace-process.ts';
import type { ReturnedCall } from './strace-return.ts';

const slash = 0x2f;
/** AT_SYMLINK_NOFOLLOW (include/uapi/linux/fcntl.h). */
const noFollow = 0x100;

export class StraceNames {
  readonly #sink: TraceSink;
  readonly #waiting = new WaitingNames();

  constructor(sink: TraceSink) {
    this.#sink = sink;
  }

  /** Gives the sink the names that still wait. Call it after the last line. */
  end(): void {
    for (const place of this.#waiting.places()) this.settle(place);
  }

  /** Records one name among the arguments of a call. Returns false where the line does not show it, or where it counts from. */
  use(returned: ReturnedCall, target: Target, how: Uses): boolean {
    if (!returned.has(target.path)) return false;
    const path = returned.string(target.path);
    const bits = bitsOf(returned, target, how);
    if (path === null || path === '') return this.#useDescriptor(returned, target, how, bits);
    // A slash at the end makes the kernel follow the symlink.
    return this.useName(returned, target, path, path.endsWith('/') ? followed(bits) : bits);
  }

  /**
   * Records a call whose name is empty (AT_EMPTY_PATH: it means the descriptor itself), or an address that strace could not
   * follow. Only execution and reading of a link add to what the opening of the descriptor has recorded.
   */
  #useDescriptor(returned: ReturnedCall, target: Target, how: Uses, bits: Uses): boolean {
    if (target.directory === null)
      return returned.string(target.path) === null && returned.startsWith(target.path, 'NULL');
    if ((how & (uses.exec | uses.link)) === 0) return true;
    const itself = this.descriptor(returned, target.directory);
    return itself === null || this.#sink.use(itself, bits & ~uses.link, noBytes, returned.process.place);
  }

  /** Records a name that a call uses in these ways. Returns false where the line does not show where it counts from. */
  useName(returned: ReturnedCall, target: Pick<Target, 'directory'>, path: ByteString, bits: Uses): boolean {
    const { place } = returned.process;
    const isAbsolute = path.charCodeAt(0) === slash;
    if (isAbsolute) {
      // With -y, AT_FDCWD</dir> tells where the process is even beside an absolute name.
      if (target.directory !== null && !place.isKnown) this.descriptor(returned, target.directory);
      return this.#sink.use(path, bits, noBytes, place);
    }
    if (target.directory === null) {
      if (!place.isKnown && this.#waiting.add(place, path, bits)) return true;
      return this.#sink.use(path, bits, place.cwd, place);
    }
    const directory = this.descriptor(returned, target.directory);
    return directory !== null && this.#sink.use(path, bits, directory, place);
  }

  /** Gives the sink the names that waited for the directory of a process, from where it is now, or is taken to be. */
  settle(place: Place): void {
    for (const { path, bits } of this.#waiting.take(place))
      this.#sink.use(path, bits | outOfOrder, place.cwd, place);
  }

  /** Returns the path of a name as the tracer saw it, outside of any chroot; null if the line does not tell. */
  pathOf(returned: ReturnedCall, target: Target): TracedPath | null {
    if (!returned.has(target.path)) return null;
    const path = returned.string(target.path);
    const { place } = returned.process;
    if (path === null || path === '')
      return target.directory === null ? null : this.descriptor(returned, target.directory);
    if (path.charCodeAt(0) === slash) return rooted(place, path);
    const directory = target.directory === null ? place.cwd : this.descriptor(returned, target.directory);
    return directory === null ? null : tracedPath(directory, path);
  }

  /** Returns the path of a name from the root of the container; null if the line does not tell, or outside of `--trace-root`. */
  located(returned: ReturnedCall, target: Target): TracedPath | null {
    const { place } = returned.process;
    const path = returned.has(target.path) ? (returned.string(target.path) ?? noBytes) : noBytes;
    const isAbsolute = path.charCodeAt(0) === slash;
    const directory =
      target.directory === null
        ? place.cwd
        : isAbsolute
          ? noBytes
          : this.descriptor(returned, target.directory);
    if (directory === null || (path === '' && target.directory === null)) return null;
    const located = this.#sink.locate(path, isAbsolute ? noBytes : directory, place);
    return located === null || located === 'outside' ? null : located.path;
  }

  /** Returns the path of a descriptor: by -y, else by its opening. For AT_FDCWD, -y also shows the working directory. */
  descriptor(returned: ReturnedCall, index: number): TracedPath | null {
    if (!returned.has(index)) return null;
    const path = returned.annotation(index);
    const { place, files } = returned.process;
    const isCurrent = returned.startsWith(index, 'AT_FDCWD') || returned.startsWith(index, '-100');
    if (!isCurrent) return path ?? files.get(returned.number(index));
    if (path !== null && path !== place.cwd) place.cwd = own(path);
    if (path !== null && !place.isKnown) {
      place.isKnown = true;
      this.settle(place);
    }
    return place.cwd;
  }
}

/** Returns the uses of a name. A flag of its call may turn them into uses of a symlink itself. */
function bitsOf(returned: ReturnedCall, { flags }: Target, how: Uses): Uses {
  if (flags === null || !returned.hasFlag(flags, 'AT_SYMLINK_NOFOLLOW', noFollow)) return how;
  return how === uses.stat ? uses.link : how | uses.link;
}

function followed(bits: Uses): Uses {
  return (bits & uses.link) === 0 ? bits : (bits & ~uses.link) | uses.stat;
}

/** Returns a path as the tracer saw it, of one that starts at the root of a process. */
export function rooted(place: Place, path: ByteString): TracedPath | null {
  return place.root === '' ? tracedPath(noBytes, path) : tracedPath(place.root, path.replace(/^\/+/, ''));
}

/** The most places that wait, and the most names of each. */
const waitingLimit = 64;

interface WaitingName {
  readonly path: ByteString;
  readonly bits: Uses;
}

/**
 * Relative names of processes whose directory is not known yet. The first lines of a trace with -y do not tell it:
 * `execve("./server", …)` comes before any `AT_FDCWD</dir>`.
 */
class WaitingNames {
  readonly #names = new Map<Place, WaitingName[]>();

  /** Returns false where there is no room: the name counts from where the process is taken to be then. */
  add(place: Place, path: ByteString, bits: Uses): boolean {
    const names = this.#names.get(place) ?? [];
    if (names.length >= waitingLimit || (names.length === 0 && this.#names.size >= waitingLimit))
      return false;
    names.push({ path: own(path), bits });
    this.#names.set(place, names);
    return true;
  }

  /** Removes the names of a place, and returns them. */
  take(place: Place): readonly WaitingName[] {
    const names = this.#names.get(place) ?? [];
    this.#names.delete(place);
    return names;
  }

  places(): Iterable<Place> {
    return this.#names.keys();
  }
}
