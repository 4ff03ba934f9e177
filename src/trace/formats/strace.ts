/**
 * Reads what strace(1) prints, in all its output forms: which process a line belongs to, and which calls have returned. The
 * table of formats in `all.ts` offers it to the trace reader; `strace-effects.ts` knows what a returned call means.
 */
import { type ByteString, ascii } from '../../bytes/bytes.ts';
import { hasLine, type RecordReader, type TraceFormat } from '../trace-format.ts';
import { own } from '../own-copy.ts';
import type { TraceSink } from '../trace-sink.ts';
import { type Call, calls, looksComplete } from './strace-calls.ts';
import { StraceEffects } from './strace-effects.ts';
import { FirstProcess } from './strace-end.ts';
import { type Process, Processes } from './strace-process.ts';
import { readReturn } from './strace-return.ts';
import { namesOfRights, StraceRights } from './strace-rights.ts';
import { endOfName, type LineStart, newArguments, readStart } from './strace-text.ts';

/** What a line of strace holds behind its prefixes: a call with its result, one half of a call, or the end of a process. */
const body =
  /^(?:[a-z_][a-z0-9_]*\(.*(?:\) += (?:-?\d|\?)|<unfinished \.\.\.>$)|<\.\.\. \w+ resumed>|\+\+\+ (?:exited with|killed by) )/s;

function isStrace(line: ByteString): boolean {
  const start: LineStart = { pid: null, body: 0 };
  readStart(line, start);
  return body.test(line.slice(start.body));
}

/**
 * The output of strace 4.x to 6.x, written to a file or to stderr. It may have been recorded with any of -f, -ff, -y, -yy,
 * -Y, -t, -tt, -ttt, -r, -T, -x, -xx, -X, -i, -n, and -k.
 */
export const strace: TraceFormat = {
  name: 'strace',
  unit: 'line',
  detect: (head) => hasLine(head, isStrace),
  read: (sink) => new StraceReader(sink),
};

/** The message with which strace 4.21 and later report a new process. Others' output may precede it on the line. */
const attached = /strace: Process (\d+) attached$/;

/** Messages of strace about itself, and the stack frames of -k; no call starts like these. */
const message =
  /^(?:strace: |\[ Process PID=\d+ runs in |Process \d+ (?:attached|detached|resumed|suspended)| > |\?{3,4}\()/;

/** No call of the table in `strace-calls.ts` has more than six; two more leave room for forms that are not known. */
const mostArguments = 8;

/** What a call means here: what it does with files, or that it may show rights, or both. */
interface Meaning {
  readonly name: string;
  readonly onFiles: Call | null;
  readonly showsRights: boolean;
}

const meanings: ReadonlyMap<string, Meaning> = new Map(
  [...new Set([...calls.keys(), ...namesOfRights])].map((name) => [
    name,
    { name, onFiles: calls.get(name) ?? null, showsRights: namesOfRights.has(name) },
  ]),
);

class StraceReader implements RecordReader {
  readonly #sink: TraceSink;
  readonly #start: LineStart = { pid: null, body: 0 };
  readonly #arguments = newArguments(mostArguments);
  readonly #processes: Processes;
  readonly #effects: StraceEffects;
  readonly #rights: StraceRights;
  readonly #first = new FirstProcess();
  /** The beginning of a line that strace interrupted with "Process … attached"; the next line continues it. */
  #interrupted: ByteString | null = null;

  constructor(sink: TraceSink) {
    this.#sink = sink;
    this.#processes = new Processes(sink.start, sink.user);
    this.#effects = new StraceEffects(sink, this.#processes);
    this.#rights = new StraceRights(sink, this.#processes);
    sink.knowsExecs = true;
  }

  record(text: ByteString): boolean {
    if (this.#interrupted === null && message.test(text)) {
      this.#attach(text);
      return true;
    }
    const line = this.#interrupted === null ? text : ascii`${this.#interrupted}${text}`;
    this.#interrupted = null;
    if (line.endsWith(' attached') && this.#attach(line)) return true;
    readStart(line, this.#start);
    const { body, pid } = this.#start;
    this.#first.meet(pid);
    return this.#readBody(line, body, pid);
  }

  end(): void {
    this.#effects.end();
    if (this.#first.end !== null) this.#sink.ends = [this.#first.end];
    this.#sink.hasAllSyscalls = looksComplete(this.#sink.syscalls);
    this.#sink.hasAllRights = this.#sink.hasAllSyscalls;
  }

  /** Reads a line from `body` on, which is where its prefixes end. Returns false for a line that makes no sense. */
  #readBody(line: ByteString, body: number, pid: number | null): boolean {
    switch (line.charCodeAt(body)) {
      case 0x2b: // +++ exited with 0 +++
        if (!line.startsWith('+++ ', body)) return false;
        this.#first.take(pid, line.slice(body));
        this.#processes.forget(pid);
        return true;
      case 0x2d: // --- SIGCHLD {…} ---
        this.#first.take(pid, line.slice(body));
        return line.startsWith('--- ', body);
      case 0x3c: // <... openat resumed>
        return this.#resume(line, body, pid);
      case 0x3e: // > /lib/libc.so.6(open+0x1) [0x2], a stack frame of -k
        return true;
    }
    return line.startsWith('strace: ', body) || this.#readCall(line, body, pid);
  }

  #readCall(line: ByteString, body: number, pid: number | null): boolean {
    const parenthesis = endOfName(line, body);
    if (parenthesis < 0) return false;
    const name = line.slice(body, parenthesis);
    const call = meanings.get(name);
    const isDetached = line.endsWith(' <detached ...>');
    if (isDetached || line.endsWith(' <unfinished ...>')) {
      this.#sink.syscall(name);
      this.#suspend(line, body, pid, isDetached ? undefined : call);
      return true;
    }
    // Most calls mean nothing here: they are counted, and their arguments are not read.
    if (call === undefined) {
      if (line.lastIndexOf(') ') < parenthesis && line.lastIndexOf('= ') < parenthesis) return false;
      this.#sink.syscall(name);
      return true;
    }
    this.#sink.syscall(name);
    return this.#apply(call, this.#processes.of(pid), line, parenthesis);
  }

  /** Keeps the first half of a call until the second comes. Of a call that means nothing here, nothing is kept. */
  #suspend(line: ByteString, body: number, pid: number | null, call: Meaning | undefined): void {
    const process = this.#processes.of(pid);
    if (call === undefined) this.#processes.resume(process);
    else
      this.#processes.suspend(
        process,
        line.slice(body, line.lastIndexOf(' <')),
        call.onFiles?.kind === 'fork',
      );
  }

  /** Joins `<... NAME resumed>REST` to the first half of the call, which is absent if it preceded the trace. */
  #resume(line: ByteString, body: number, pid: number | null): boolean {
    const end = line.indexOf(' resumed>', body);
    if (!line.startsWith('<... ', body) || end < 0) return false;
    const process = this.#processes.of(pid);
    const begun = this.#processes.resume(process);
    const name = line.slice(body + '<... '.length, end);
    const call = meanings.get(name);
    if (call === undefined || begun === null || !begun.startsWith(`${name}(`)) return true;
    return this.#apply(call, process, ascii`${begun}${line.slice(end + ' resumed>'.length)}`, name.length);
  }

  #apply(call: Meaning, process: Process, line: ByteString, parenthesis: number): boolean {
    const outcome = readReturn(process, line, parenthesis, this.#arguments);
    if (outcome === 'unreadable') return false;
    if (outcome === 'unfinished') return true;
    if (call.showsRights) this.#rights.apply(call.name, outcome);
    return call.onFiles === null || this.#effects.apply(call.onFiles, outcome);
  }

  /** Reads `clone(…strace: Process 12 attached`, where the rest of the call comes on the next line. */
  #attach(line: ByteString): boolean {
    const found = attached.exec(line);
    if (found === null) return false;
    const begun = line.slice(0, found.index);
    let parent: Process | null = null;
    if (begun !== '') {
      if (begun.length > this.#sink.limits.line) return false;
      this.#interrupted = own(begun);
      readStart(begun, this.#start);
      parent = this.#processes.of(this.#start.pid);
    }
    this.#processes.attached(Number(found[1]), parent, begun);
    return true;
  }
}
