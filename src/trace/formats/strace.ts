import type { ByteString } from '../../bytes/bytes.ts';
import { uses as kinds, type TracedPath } from '../trace.ts';
import type { RecordReader, TraceFormat } from '../trace-format.ts';
import { own, type TraceSink } from '../trace-sink.ts';
import { tracedPath } from '../traced-path.ts';
import { calls, looksComplete, type Target, usesOfOpen } from './strace-calls.ts';
import { type Place, type Process, Processes } from './strace-process.ts';
import {
  annotatedPath,
  endOfName,
  type LineStart,
  newArguments,
  quoted,
  quotedList,
  readStart,
  splitArguments,
} from './strace-text.ts';

const body =
  /^(?:[a-z_][a-z0-9_]*\(.*(?:\) += (?:-?\d|\?)|<unfinished \.\.\.>$)|<\.\.\. \w+ resumed>|\+\+\+ (?:exited with|killed by) )/s;

function isStrace(line: ByteString): boolean {
  if (line.length > 10_000) return false;
  const start: LineStart = { pid: null, body: 0 };
  readStart(line, start);
  return body.test(line.slice(start.body));
}

/** `strace` in all its forms: with and without -f, -ff, -y, -yy, -Y, -t…, -r, -T, -x…, -i, -n, -k, to a file or to stderr. */
export const strace: TraceFormat = {
  name: 'strace',
  unit: 'line',
  detect: ({ lines }) => lines.some(isStrace),
  read: (sink) => new StraceReader(sink),
};

const attached = /strace: Process (\d+) attached$/;
/** What strace itself has to say. */
const aside =
  /^(?:strace: |\[ Process PID=\d+ runs in |Process \d+ (?:attached|detached|resumed|suspended)| > |\?{3,4}\()/;

/** As many places, and as many names of each. */
const waitingLimit = 64;

class StraceReader implements RecordReader {
  readonly #sink: TraceSink;
  readonly #start: LineStart = { pid: null, body: 0 };
  readonly #arguments = newArguments(8);
  /** Relative names of processes of which it is not known where they are. */
  readonly #waiting = new Map<Place, [path: ByteString, bits: number][]>();
  readonly #openUses = new Map<string, number>();
  readonly #processes: Processes;
  /** A line into which strace has written "Process … attached". */
  #broken: string | null = null;

  constructor(sink: TraceSink) {
    this.#sink = sink;
    this.#processes = new Processes(sink.start);
    sink.knowsExecs = true;
  }

  end(): void {
    for (const place of this.#waiting.keys()) this.#settle(place);
    this.#sink.hasAllSyscalls = looksComplete(this.#sink.syscalls);
  }

  record(text: ByteString): boolean {
    let line = text;
    if (this.#broken !== null) {
      line = this.#broken + line;
      this.#broken = null;
    } else if (aside.test(line)) {
      this.#attach(line);
      return true;
    }
    if (line.endsWith(' attached') && this.#attach(line)) return true;
    const start = this.#start;
    readStart(line, start);
    const { pid, body } = start;
    switch (line.charCodeAt(body)) {
      case 0x2b: // +++ exited with 0 +++
        if (!line.startsWith('+++ ', body)) return false;
        this.#processes.forget(pid);
        return true;
      case 0x2d: // --- SIGCHLD {…} ---
        return line.startsWith('--- ', body);
      case 0x3c: // <... openat resumed>
        return this.#resumed(line, body, pid);
      case 0x3e: // > /lib/libc.so.6(open+0x1) [0x2], of -k
        return true;
    }
    if (line.startsWith('strace: ', body)) return true;
    const parenthesis = endOfName(line, body);
    if (parenthesis < 0) return false;
    const name = line.slice(body, parenthesis);
    if (line.endsWith(' <unfinished ...>') || line.endsWith(' <detached ...>')) {
      this.#sink.syscall(name);
      const begun = line.slice(body, line.lastIndexOf(' <'));
      const call = line.endsWith(' <detached ...>') ? undefined : calls.get(name);
      const process = this.#processes.of(pid);
      // Only what will be looked at is worth keeping.
      if (call === undefined) this.#processes.resume(process);
      else this.#processes.suspend(process, begun, call.kind === 'fork');
      return true;
    }
    const call = calls.get(name);
    if (call === undefined) {
      if (line.lastIndexOf(') ') < parenthesis && line.lastIndexOf('= ') < parenthesis) return false;
      this.#sink.syscall(name);
      return true;
    }
    this.#sink.syscall(name);
    return this.#call(this.#processes.of(pid), name, line, parenthesis);
  }

  /** `clone(…strace: Process 12 attached`: the rest of the line comes after it. */
  #attach(line: string): boolean {
    const found = attached.exec(line);
    if (found === null) return false;
    const begun = line.slice(0, found.index);
    let parent: Process | null = null;
    if (begun !== '') {
      if (begun.length > this.#sink.limits.line) return false;
      this.#broken = own(begun);
      readStart(begun, this.#start);
      parent = this.#processes.of(this.#start.pid);
    }
    this.#processes.attached(Number(found[1]), parent, begun);
    return true;
  }

  #resumed(line: string, body: number, pid: number | null): boolean {
    const end = line.indexOf(' resumed>', body);
    if (!line.startsWith('<... ', body) || end < 0) return false;
    const process = this.#processes.of(pid);
    const begun = this.#processes.resume(process);
    const name = line.slice(body + 5, end);
    // The beginning was before the trace, or of no interest.
    if (begun === null || !begun.startsWith(`${name}(`)) return true;
    return this.#call(process, name, begun + line.slice(end + 9), name.length);
  }

  /** One call that has returned. */
  #call(process: Process, name: string, line: string, parenthesis: number): boolean {
    const call = calls.get(name);
    if (call === undefined) return true;
    const args = this.#arguments;
    if (!splitArguments(line, parenthesis, args)) return false;
    let value = args.close + 1;
    while (line.charCodeAt(value) === 0x20) value++;
    if (line.charCodeAt(value) !== 0x3d) return false;
    value += 2;
    const unit = line.charCodeAt(value);
    // Failed, or never returned.
    if (unit === 0x2d || unit === 0x3f) return true;
    if (Number.isNaN(unit)) return false;
    const { place } = process;
    switch (call.kind) {
      case 'use': {
        let good = true;
        for (const target of call.targets) good = this.#use(process, line, target, target.uses) && good;
        return good;
      }
      case 'open':
        return this.#open(process, line, call.target, call.flags, value);
      case 'exec':
        this.#sink.command ??=
          quotedList(line, args.start[call.argv] ?? 0, args.end[call.argv] ?? 0)?.map(own) ?? null;
        return this.#use(process, line, call.target, call.target.uses);
      case 'chdir': {
        if (!this.#use(process, line, call.target, call.target.uses)) return false;
        const path = this.#pathOf(process, line, call.target);
        if (path === null) return false;
        this.#settle(place);
        place.cwd = own(path);
        place.isKnown = true;
        return true;
      }
      case 'fchdir': {
        const path = this.#descriptor(process, line, 0);
        // Without a path for it, what follows can only be wrong by one directory.
        if (path === null) return false;
        this.#settle(place);
        place.cwd = own(path);
        place.isKnown = true;
        return true;
      }
      case 'chroot': {
        const path = this.#pathOf(process, line, call.target);
        if (path === null) return false;
        this.#use(process, line, call.target, call.target.uses);
        this.#settle(place);
        place.root = own(path);
        return true;
      }
      case 'pivot':
        this.#settle(place);
        contain(place);
        return true;
      case 'setns':
        if (!line.includes('CLONE_NEWNS', parenthesis)) return true;
        this.#settle(place);
        contain(place);
        return true;
      case 'unshare':
        if (line.includes('CLONE_FS', parenthesis) || line.includes('CLONE_NEWNS', parenthesis))
          process.place = { ...place };
        return true;
      case 'list': {
        const path = this.#descriptor(process, line, call.fd);
        if (path !== null) this.#sink.use(path, kinds.list, '', place);
        return true;
      }
      case 'fork':
        this.#processes.forked(process, childOf(line, value), line);
        return true;
      case 'dup':
        process.files.set(numberAt(line, value), this.#descriptor(process, line, 0));
        return true;
      case 'fcntl':
        if (line.startsWith('F_DUPFD', args.start[1] ?? 0))
          process.files.set(numberAt(line, value), this.#descriptor(process, line, 0));
        return true;
      case 'close':
        process.files.set(numberAt(line, args.start[0] as number), null);
        return true;
    }
  }

  #open(process: Process, line: string, target: Target, flags: number | null, value: number): boolean {
    const args = this.#arguments;
    let how = target.uses;
    if (flags !== null && flags < args.count) {
      const text = line.slice(args.start[flags], args.end[flags]);
      let known = this.#openUses.get(text);
      if (known === undefined) {
        known = usesOfOpen(text);
        if (this.#openUses.size < 1024) this.#openUses.set(own(text), known);
      }
      how |= known;
    }
    const fd = numberAt(line, value);
    let mark = value;
    while (line.charCodeAt(mark) >= 0x30 && line.charCodeAt(mark) <= 0x39) mark++;
    // With -y the descriptor tells what was opened, whatever we know of the directory; and it will tell again.
    if (line.charCodeAt(mark) === 0x3c) {
      const { place } = process;
      const isGuess =
        target.directory === null && !place.isKnown && !startsWithSlash(line, args.start[target.path]);
      const opened = isGuess ? annotatedPath(line, mark) : null;
      process.files.set(fd, null);
      // Without its slash: chroot has no say in what descriptors lead to.
      if (opened !== null) return this.#sink.use(opened.slice(1), how, '', place);
      return this.#use(process, line, target, how);
    }
    const path = this.#pathOf(process, line, target);
    if (path === null) return false;
    process.files.set(fd, own(path));
    return this.#use(process, line, target, how);
  }

  #use(process: Process, line: string, target: Target, how: number): boolean {
    const args = this.#arguments;
    if (target.path >= args.count) return false;
    const start = args.start[target.path] as number;
    const end = args.end[target.path] as number;
    const path = quoted(line, start, end);
    let bits = how;
    if (target.flags !== null && target.flags < args.count) {
      const from = args.start[target.flags] as number;
      const to = args.end[target.flags] as number;
      if (hasFlag(line, from, to, 'AT_SYMLINK_NOFOLLOW', 0x100))
        bits = bits === kinds.stat ? kinds.link : bits | kinds.link;
    }
    const { place } = process;
    if (path === null || path === '') {
      // A pointer that strace could not follow, or the descriptor itself (AT_EMPTY_PATH), whose opening was seen.
      if (target.directory === null) return path === null && line.startsWith('NULL', start);
      if ((how & (kinds.exec | kinds.link)) === 0) return true;
      const itself = this.#descriptor(process, line, target.directory);
      return itself === null || this.#sink.use(itself, bits & ~kinds.link, '', place);
    }
    // A slash at the end follows the link.
    if (path.endsWith('/') && (bits & kinds.link) !== 0) bits = (bits & ~kinds.link) | kinds.stat;
    const isAbsolute = path.charCodeAt(0) === 0x2f;
    if (target.directory === null) {
      if (!isAbsolute && !place.isKnown && this.#wait(place, path, bits)) return true;
      return this.#sink.use(path, bits, isAbsolute ? '' : place.cwd, place);
    }
    if (isAbsolute) {
      // With -y it tells where the process is.
      if (!place.isKnown) this.#descriptor(process, line, target.directory);
      return this.#sink.use(path, bits, '', place);
    }
    const directory = this.#descriptor(process, line, target.directory);
    return directory !== null && this.#sink.use(path, bits, directory, place);
  }

  /** The first lines of a trace with -y do not tell yet where they count from: `execve("./server", …)`. */
  #wait(place: Place, path: ByteString, bits: number): boolean {
    const names = this.#waiting.get(place);
    if (names === undefined) {
      if (this.#waiting.size >= waitingLimit) return false;
      this.#waiting.set(place, [[own(path), bits]]);
    } else {
      if (names.length >= waitingLimit) return false;
      names.push([own(path), bits]);
    }
    return true;
  }

  /** What waited counts from where the process is now, or is taken to be. */
  #settle(place: Place): void {
    for (const [path, bits] of this.#waiting.get(place) ?? []) this.#sink.use(path, bits, place.cwd, place);
    this.#waiting.delete(place);
  }

  /** As the tracer saw it. */
  #pathOf(process: Process, line: string, target: Target): TracedPath | null {
    const args = this.#arguments;
    if (target.path >= args.count) return null;
    const path = quoted(line, args.start[target.path] as number, args.end[target.path] as number);
    const { place } = process;
    if (path === null || path === '')
      return target.directory === null ? null : this.#descriptor(process, line, target.directory);
    if (path.charCodeAt(0) === 0x2f) return rooted(place, path);
    const directory =
      target.directory === null ? place.cwd : this.#descriptor(process, line, target.directory);
    return directory === null ? null : tracedPath(directory, path);
  }

  /** What a descriptor leads to: by -y, or by what was opened. */
  #descriptor(process: Process, line: string, index: number): TracedPath | null {
    const args = this.#arguments;
    if (index >= args.count) return null;
    const start = args.start[index] as number;
    const end = args.end[index] as number;
    let mark = start;
    while (mark < end && line.charCodeAt(mark) !== 0x3c) mark++;
    const annotated = mark < end ? annotatedPath(line, mark) : null;
    const path = annotated === null ? null : tracedPath('', annotated);
    if (line.startsWith('AT_FDCWD', start) || line.startsWith('-100', start)) {
      const { place } = process;
      if (path !== null && path !== place.cwd) place.cwd = own(path);
      if (path !== null && !place.isKnown) {
        place.isKnown = true;
        this.#settle(place);
      }
      return place.cwd;
    }
    return path ?? process.files.get(numberAt(line, start));
  }
}

function contain(place: Place): void {
  place.root = '';
  place.cwd = '';
  place.isKnown = true;
  place.contained = true;
}

function rooted(place: Place, path: ByteString): TracedPath | null {
  return place.root === '' ? tracedPath('', path) : tracedPath(place.root, path.replace(/^\/+/, ''));
}

/** `= 2 /* 14816 in strace's PID NS *\/` (--decode-pids): its lines have the second number. */
function childOf(line: string, value: number): number {
  const comment = line.indexOf('/* ', value);
  return comment < 0 ? numberAt(line, value) : numberAt(line, comment + 3);
}

function startsWithSlash(line: string, start: number | undefined): boolean {
  return start !== undefined && line.startsWith('"/', start);
}

function numberAt(line: string, start: number): number {
  let value = 0;
  for (let i = start; i < start + 10; i++) {
    const digit = line.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return i === start ? -1 : value;
    value = value * 10 + digit;
  }
  return value;
}

/** By name, or by bit where flags are numbers (-X raw). */
function hasFlag(line: string, start: number, to: number, name: string, bit: number): boolean {
  // strace 6.1 writes `|0x900`.
  const from = line.charCodeAt(start) === 0x7c ? start + 1 : start;
  const digit = line.charCodeAt(from) - 0x30;
  if (digit >= 0 && digit <= 9) return (Number.parseInt(line.slice(from, to)) & bit) !== 0;
  const found = line.indexOf(name, from);
  return found >= 0 && found < to;
}
