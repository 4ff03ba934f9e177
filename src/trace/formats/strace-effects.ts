/**
 * What calls of strace that have returned mean: the names that they used go to the sink, and what they changed (working
 * directory, root, descriptors, children) goes to their process. `strace.ts` applies one call after the other, in their order.
 */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { type TracedPath, type Uses, uses } from '../trace.ts';
import { below } from '../traced-path.ts';
import { own } from '../own-copy.ts';
import { notCreated, notFound, openedDirectory, type TraceSink } from '../trace-sink.ts';
import { type Call, type Target, usesOfOpen } from './strace-calls.ts';
import { createsTarget, type Failure, targetsOf, usesOfFailure, usesOfOne } from './strace-failures.ts';
import { changesOf } from './strace-changes.ts';
import { replacesFile } from './strace-replacing.ts';
import { rooted, StraceNames } from './strace-names.ts';
import type { Place, Processes } from './strace-process.ts';
import type { ReturnedCall } from './strace-return.ts';
import { opensFiles } from './rings.ts';

/** Programs use a few dozen combinations of flags; the limit keeps a hostile trace from filling memory. */
const mostFlags = 1024;

/** The argument of open_by_handle_at(2) with its flags. */
const handleFlags = 2;

/** The arguments of a call by which it names a descriptor first: fchdir, getdents, dup, fcntl, close. */
const first = 0;

export class StraceEffects {
  readonly #sink: TraceSink;
  readonly #processes: Processes;
  readonly #names: StraceNames;
  /** Uses by the flags of an open as they are written: a trace repeats a few of them a million times. */
  readonly #usesByFlags = new Map<string, Uses>();

  constructor(sink: TraceSink, processes: Processes) {
    this.#sink = sink;
    this.#names = new StraceNames(sink);
    this.#processes = processes;
  }

  /** Applies one call. Returns false where its line leaves out what is needed: a name cut short, an unknown descriptor. */
  apply(call: Call, returned: ReturnedCall): boolean {
    if (returned.isError) return this.#fail(call, returned);
    const { process } = returned;
    switch (call.kind) {
      case 'use':
        if (!this.#useAll(returned, call.targets)) return false;
        for (const change of changesOf(call, returned, this.#names)) this.#sink.change(change);
        return true;
      case 'socket':
        return this.#useSocket(returned, call.address, call.uses);
      case 'open':
        return this.#open(returned, call.target, call.flags);
      case 'openHandle':
        if (returned.opened !== null)
          this.#useOpened(returned, returned.opened, this.#usesOf(returned.text(handleFlags)));
        return true;
      case 'exec':
        process.program = returned.string(call.target.path) ?? noBytes;
        this.#sink.command ??= returned.strings(call.argv)?.map(own) ?? null;
        return this.#names.use(returned, call.target, call.target.uses);
      case 'chdir':
        return this.#changeDirectory(returned, call.target);
      case 'fchdir':
        return this.#enter(process.place, this.#names.descriptor(returned, first));
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
      case 'getcwd':
        return this.#showDirectory(returned);
      case 'ring':
        if (opensFiles(returned)) this.#sink.noteRing();
        return true;
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
    this.#names.end();
  }

  /** Records what a call that failed shows to be there. A line that leaves something out does not count as unreadable. */
  #fail(call: Call, returned: ReturnedCall): true {
    const { error } = returned;
    const openFlags =
      call.kind === 'open' && call.flags !== null && returned.has(call.flags)
        ? returned.text(call.flags)
        : '';
    const failure = { call, error, openFlags };
    if (error === 'ENOENT' && this.#sink.collectsAbsent) this.#miss(failure, returned);
    if (call.kind === 'socket') this.#useSocket(returned, call.address, usesOfOne(failure, call.uses));
    const found = usesOfFailure(failure);
    for (const [i, target] of targetsOf(call).entries()) {
      const how = found[i] as Uses;
      if (how !== 0 && returned.string(target.path) !== null) this.#names.use(returned, target, how);
    }
    return true;
  }

  /** Records the names of a call that failed because one of them, or a directory above, is missing. */
  #miss(failure: Failure, returned: ReturnedCall): void {
    const { call } = failure;
    const how = (index: number): Uses => (createsTarget(failure, index) ? notCreated : notFound);
    if (call.kind === 'socket') this.#useSocket(returned, call.address, how(0));
    for (const [i, target] of targetsOf(call).entries())
      if (returned.string(target.path) !== null) this.#names.use(returned, target, how(i));
  }

  #useSocket(returned: ReturnedCall, address: number, how: Uses): boolean {
    const path = returned.socketPath(address);
    if (path === null || path === '' || how === 0) return true;
    return this.#names.useName(returned, { directory: null }, path, how);
  }

  /** getcwd(2) tells where a process is. */
  #showDirectory(returned: ReturnedCall): true {
    const { place } = returned.process;
    const path = returned.string(0);
    if (path?.startsWith('/') === true && !place.isKnown) this.#enter(place, rooted(place, path));
    return true;
  }

  #useAll(returned: ReturnedCall, targets: readonly Target[]): boolean {
    let isReadable = true;
    for (const target of targets) isReadable = this.#names.use(returned, target, target.uses) && isReadable;
    return isReadable;
  }

  #changeDirectory(returned: ReturnedCall, target: Target): boolean {
    if (!this.#names.use(returned, target, target.uses)) return false;
    return this.#enter(returned.process.place, this.#names.pathOf(returned, target));
  }

  /** Moves a process to a directory. Returns false for one without a path: relative names count from the old one then. */
  #enter(place: Place, directory: TracedPath | null): boolean {
    if (directory === null) return false;
    this.#names.settle(place);
    place.cwd = own(directory);
    place.isKnown = true;
    return true;
  }

  #changeRoot(returned: ReturnedCall, target: Target): boolean {
    const path = this.#names.pathOf(returned, target);
    if (path === null) return false;
    this.#names.use(returned, target, target.uses);
    const { place } = returned.process;
    this.#names.settle(place);
    place.root = own(path);
    return true;
  }

  /** Puts a process into a mount namespace of its own, as a container runtime does: its names have no prefix from now on. */
  #contain(place: Place): true {
    this.#names.settle(place);
    place.root = noBytes;
    place.cwd = noBytes;
    place.isKnown = true;
    place.contained = true;
    return true;
  }

  #list(returned: ReturnedCall, fd: number): true {
    const path = this.#names.descriptor(returned, fd);
    if (path !== null) this.#sink.use(path, uses.list, noBytes, returned.process.place);
    return true;
  }

  #duplicate(returned: ReturnedCall): true {
    returned.process.files.set(returned.descriptor, this.#names.descriptor(returned, first));
    return true;
  }

  /** Records an opening, and what the new descriptor leads to. */
  #open(returned: ReturnedCall, target: Target, flags: number | null): boolean {
    const { process } = returned;
    const how = replacesFile(returned, target, flags)
      ? uses.write | uses.replaced
      : target.uses | (flags !== null && returned.has(flags) ? this.#usesOf(returned.text(flags)) : 0);
    if (!returned.isAnnotated) {
      const path = this.#names.pathOf(returned, target);
      if (path === null) return false;
      process.files.set(returned.descriptor, own(path));
      return this.#names.use(returned, target, how);
    }
    // Every later line will show the path of this descriptor too, so that it need not be remembered.
    process.files.set(returned.descriptor, null);
    const { opened } = returned;
    if (opened !== null) this.#useOpened(returned, opened, how);
    const isGuess =
      target.directory === null && !process.place.isKnown && !returned.startsWith(target.path, '"/');
    return (isGuess && opened !== null) || this.#names.use(returned, target, how);
  }

  /**
   * Records the path behind a descriptor, which is free of symlinks, of what the run itself has made too. It does not count from the
   * root of a chroot: without its slash, it is not moved there. One outside of that root is of another file system.
   */
  #useOpened({ process }: ReturnedCall, opened: ByteString, how: Uses): void {
    const { root } = process.place;
    const path = opened.slice(1);
    if (below(root, path) !== null) this.#sink.use(path, how, noBytes, process.place);
  }

  #usesOf(flags: ByteString): Uses {
    let known = this.#usesByFlags.get(flags);
    if (known === undefined) {
      known = usesOfOpen(flags);
      if (known === uses.list) known = openedDirectory;
      if (this.#usesByFlags.size < mostFlags) this.#usesByFlags.set(own(flags), known);
    }
    return known;
  }
}
