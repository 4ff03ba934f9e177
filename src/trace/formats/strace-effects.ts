/**
 * What calls of strace that have returned mean: the names that they used go to the sink, and what they changed (working
 * directory, root, descriptors, children) goes to their process. `strace.ts` applies one call after the other, in their order.
 */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { type TracedPath, type Uses, uses } from '../trace.ts';
import { own, type TraceSink } from '../trace-sink.ts';
import { tracedPath } from '../traced-path.ts';
import { type Call, type Target, usesOfOpen } from './strace-calls.ts';
import type { Place, Processes } from './strace-process.ts';
import type { ReturnedCall } from './strace-return.ts';

const slash = 0x2f;
/** AT_SYMLINK_NOFOLLOW (include/uapi/linux/fcntl.h). */
const noFollow = 0x100;
/** Programs use a few dozen combinations of flags; the limit keeps a hostile trace from filling memory. */
const mostFlags = 1024;

/** The arguments of a call by which it names a descriptor first: fchdir, getdents, dup, fcntl, close. */
const first = 0;

export class StraceEffects {
  readonly #sink: TraceSink;
  readonly #processes: Processes;
  readonly #waiting = new WaitingNames();
  /** Uses by the flags of an open as they are written: a trace repeats a few of them a million times. */
  readonly #usesByFlags = new Map<string, Uses>();

  constructor(sink: TraceSink, processes: Processes) {
    this.#sink = sink;
    this.#processes = processes;
  }

  /** Applies one call. Returns false where its line leaves out what is needed: a name cut short, an unknown descriptor. */
  apply(call: Call, returned: ReturnedCall): boolean {
    const { process } = returned;
    switch (call.kind) {
      case 'use':
        return this.#useAll(returned, call.targets);
      case 'open':
        return this.#open(returned, call.target, call.flags);
      case 'exec':
        this.#sink.command ??= returned.strings(call.argv)?.map(own) ?? null;
        return this.#use(returned, call.target, call.target.uses);
      case 'chdir':
        return this.#changeDirectory(returned, call.target);
      case 'fchdir':
        return this.#enter(process.place, this.#descriptor(returned, first));
      case 'chroot':
        return this.#changeRoot(returned, call.target);
      case 'pivot':
        return this.#contain(process.place);
      case 'setns':
        return !returned.line.includes('CLONE_NEWNS') || this.#contain(process.place);
      case 'unshare':
        if (returned.line.includes('CLONE_FS') || returned.line.includes('CLONE_NEWNS'))
          process.place = { ...process.place };
        return true;
      case 'list':
        return this.#list(returned, call.fd);
      case 'fork':
        this.#processes.forked(process, returned.child, returned.line);
        return true;
      case 'dup':
        return this.#duplicate(returned);
      case 'fcntl':
        return !returned.startsWith(1, 'F_DUPFD') || this.#duplicate(returned);
      case 'close':
        process.files.set(returned.number(first), null);
        return true;
    }
  }

  /** Gives the sink the names that still wait. Call it after the last line. */
  end(): void {
    for (const place of this.#waiting.places()) this.#settle(place);
  }

  #useAll(returned: ReturnedCall, targets: readonly Target[]): boolean {
    let isReadable = true;
    for (const target of targets) isReadable = this.#use(returned, target, target.uses) && isReadable;
    return isReadable;
  }

  #changeDirectory(returned: ReturnedCall, target: Target): boolean {
    if (!this.#use(returned, target, target.uses)) return false;
    return this.#enter(returned.process.place, this.#pathOf(returned, target));
  }

  /** Moves a process to a directory. Returns false for one without a path: relative names count from the old one then. */
  #enter(place: Place, directory: TracedPath | null): boolean {
    if (directory === null) return false;
    this.#settle(place);
    place.cwd = own(directory);
    place.isKnown = true;
    return true;
  }

  #changeRoot(returned: ReturnedCall, target: Target): boolean {
    const path = this.#pathOf(returned, target);
    if (path === null) return false;
    this.#use(returned, target, target.uses);
    const { place } = returned.process;
    this.#settle(place);
    place.root = own(path);
    return true;
  }

  /** Puts a process into a mount namespace of its own, as a container runtime does: its names have no prefix from now on. */
  #contain(place: Place): true {
    this.#settle(place);
    place.root = noBytes;
    place.cwd = noBytes;
    place.isKnown = true;
    place.contained = true;
    return true;
  }

  #list(returned: ReturnedCall, fd: number): true {
    const path = this.#descriptor(returned, fd);
    if (path !== null) this.#sink.use(path, uses.list, noBytes, returned.process.place);
    return true;
  }

  #duplicate(returned: ReturnedCall): true {
    returned.process.files.set(returned.descriptor, this.#descriptor(returned, first));
    return true;
  }

  /** Records an opening, and what the new descriptor leads to. */
  #open(returned: ReturnedCall, target: Target, flags: number | null): boolean {
    const { process } = returned;
    const how =
      target.uses | (flags !== null && returned.has(flags) ? this.#usesOf(returned.text(flags)) : 0);
    if (returned.isAnnotated) {
      // Every later line will show the path of this descriptor too, so that it need not be remembered.
      process.files.set(returned.descriptor, null);
      const isGuess =
        target.directory === null && !process.place.isKnown && !returned.startsWith(target.path, '"/');
      const opened = isGuess ? returned.opened : null;
      // The path of a descriptor does not count from the root of a chroot: without its slash, it is not moved there.
      if (opened !== null) return this.#sink.use(opened.slice(1), how, noBytes, process.place);
      return this.#use(returned, target, how);
    }
    const path = this.#pathOf(returned, target);
    if (path === null) return false;
    process.files.set(returned.descriptor, own(path));
    return this.#use(returned, target, how);
  }

  #usesOf(flags: ByteString): Uses {
    let known = this.#usesByFlags.get(flags);
    if (known === undefined) {
      known = usesOfOpen(flags);
      if (this.#usesByFlags.size < mostFlags) this.#usesByFlags.set(own(flags), known);
    }
    return known;
  }

  /** Records one name among the arguments of a call. Returns false where the line does not show it, or where it counts from. */
  #use(returned: ReturnedCall, target: Target, how: Uses): boolean {
    if (!returned.has(target.path)) return false;
    const path = returned.string(target.path);
    const bits = bitsOf(returned, target, how);
    if (path === null || path === '') return this.#useDescriptor(returned, target, how, bits);
    // A slash at the end makes the kernel follow the symlink.
    return this.#useName(returned, target, path, path.endsWith('/') ? followed(bits) : bits);
  }

  /**
   * Records a call whose name is empty (AT_EMPTY_PATH: it means the descriptor itself), or an address that strace could not
   * follow. Only execution and reading of a link add to what the opening of the descriptor has recorded.
   */
  #useDescriptor(returned: ReturnedCall, target: Target, how: Uses, bits: Uses): boolean {
    if (target.directory === null)
      return returned.string(target.path) === null && returned.startsWith(target.path, 'NULL');
    if ((how & (uses.exec | uses.link)) === 0) return true;
    const itself = this.#descriptor(returned, target.directory);
    return itself === null || this.#sink.use(itself, bits & ~uses.link, noBytes, returned.process.place);
  }

  #useName(returned: ReturnedCall, target: Target, path: ByteString, bits: Uses): boolean {
    const { place } = returned.process;
    const isAbsolute = path.charCodeAt(0) === slash;
    if (isAbsolute) {
      // With -y, AT_FDCWD</dir> tells where the process is even beside an absolute name.
      if (target.directory !== null && !place.isKnown) this.#descriptor(returned, target.directory);
      return this.#sink.use(path, bits, noBytes, place);
    }
    if (target.directory === null) {
      if (!place.isKnown && this.#waiting.add(place, path, bits)) return true;
      return this.#sink.use(path, bits, place.cwd, place);
    }
    const directory = this.#descriptor(returned, target.directory);
    return directory !== null && this.#sink.use(path, bits, directory, place);
  }

  /** Gives the sink the names that waited for the directory of a process, from where it is now, or is taken to be. */
  #settle(place: Place): void {
    for (const { path, bits } of this.#waiting.take(place)) this.#sink.use(path, bits, place.cwd, place);
  }

  /** Returns the path of a name as the tracer saw it, outside of any chroot; null if the line does not tell. */
  #pathOf(returned: ReturnedCall, target: Target): TracedPath | null {
    if (!returned.has(target.path)) return null;
    const path = returned.string(target.path);
    const { place } = returned.process;
    if (path === null || path === '')
      return target.directory === null ? null : this.#descriptor(returned, target.directory);
    if (path.charCodeAt(0) === slash) return rooted(place, path);
    const directory = target.directory === null ? place.cwd : this.#descriptor(returned, target.directory);
    return directory === null ? null : tracedPath(directory, path);
  }

  /** Returns the path of a descriptor: by -y, else by its opening. For AT_FDCWD, -y also shows the working directory. */
  #descriptor(returned: ReturnedCall, index: number): TracedPath | null {
    if (!returned.has(index)) return null;
    const path = returned.annotation(index);
    const { place, files } = returned.process;
    const isCurrent = returned.startsWith(index, 'AT_FDCWD') || returned.startsWith(index, '-100');
    if (!isCurrent) return path ?? files.get(returned.number(index));
    if (path !== null && path !== place.cwd) place.cwd = own(path);
    if (path !== null && !place.isKnown) {
      place.isKnown = true;
      this.#settle(place);
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

function rooted(place: Place, path: ByteString): TracedPath | null {
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
