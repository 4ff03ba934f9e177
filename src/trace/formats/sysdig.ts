/**
 * Reads what sysdig prints, as text and as JSON. `all.ts` offers these formats to the trace reader; the fields of each event are those of
 * driver/event_table.c in falcosecurity/libs.
 */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { memberOf, stringOr } from '../../bytes/json-value.ts';
import { byteMember, scalarOf } from '../json-record.ts';
import { uses } from '../trace.ts';
import { hasLine, type TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';
import { errorName } from './errno.ts';
import type { JsonRecords } from './json-records.ts';
import { applyCall } from './named-call.ts';
import { mayOpenFiles, pollsBy } from './rings.ts';
import { type Call, calls } from './strace-calls.ts';

/** The default output: `*%evt.num %evt.time %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.args`. */
const line = /^\*?\d+ [\d:.]+ \d+ ([^]*?) \((\d+)(?:[.:]\d+)*\) ([<>]) ([a-z_][a-z0-9_]*)(?: ([^]*))?$/;

/** The text that `sysdig` prints. Only events of return (`<`) tell whether a call succeeded. */
export const sysdig: TraceFormat = {
  name: 'sysdig',
  unit: 'line',
  detect: (head) => hasLine(head, (each) => line.test(each)),
  read(sink) {
    const events = new SysdigEvents(sink);
    return {
      record(text) {
        const found = text.match(line);
        if (found === null) return false;
        const [, program = '', thread = '', direction, type = '', args = noBytes] = found;
        return events.take({ program, thread, isReturn: direction === '<', type, args });
      },
    };
  },
};

/** The JSON that `sysdig -j` prints: the same fields by name. */
export const sysdigJson: JsonRecords = {
  name: 'sysdig',
  matches: (object) =>
    typeof memberOf(object, 'evt.info') === 'string' && memberOf(object, 'evt.type') !== undefined,
  read(sink) {
    const events = new SysdigEvents(sink);
    return (object) => {
      const type = memberOf(object, 'evt.type');
      const args = byteMember(object, 'evt.info');
      if (typeof type !== 'string' || args === null) return false;
      const program = stringOr(memberOf(object, 'proc.name'), '');
      const thread = String(scalarOf(memberOf(object, 'thread.tid')));
      return events.take({ program, thread, isReturn: memberOf(object, 'evt.dir') !== '>', type, args });
    };
  },
};

/** The most threads that are remembered between the call of an execve and its return. */
const mostExecutions = 4096;

/** One event of sysdig. */
interface SysdigEvent {
  /** The short name of the program. */
  readonly program: string;
  readonly thread: string;
  /** Whether it is the return of a call (`<`), not the call itself (`>`). */
  readonly isReturn: boolean;
  /** The name of the system call. */
  readonly type: string;
  /** `key=value` pairs, separated by spaces. */
  readonly args: ByteString;
}

/** Takes the events of one trace in their order, and gives the sink what they used. */
class SysdigEvents {
  readonly #sink: TraceSink;
  /** What threads are about to execute: only the event of the call names the file, only that of the return its success. */
  readonly #executing = new Map<string, ByteString>();

  constructor(sink: TraceSink) {
    this.#sink = sink;
    sink.knowsExecs = true;
  }

  /** Returns false for an event that makes no sense. */
  take(event: SysdigEvent): boolean {
    const { thread, isReturn, type, args } = event;
    const call = calls.get(type);
    if (call === undefined) return true;
    if (!isReturn) return this.#enter(call, thread, args);
    const error = errorOf(args);
    switch (call.kind) {
      case 'exec':
        return this.#execute(call, thread, args, error);
      case 'open':
        return error === null ? this.#open(call, args) : this.#apply(call, args, error);
      case 'use':
      case 'chdir':
      case 'chroot':
      case 'socket':
        return this.#apply(call, args, error);
      case 'ring':
        if (error === null) this.#noteRing(event);
        return true;
      case 'list':
      case 'fchdir':
      case 'pivot':
      case 'fork':
      case 'unshare':
      case 'setns':
      case 'dup':
      case 'fcntl':
      case 'close':
      case 'getcwd':
      case 'openHandle':
        return true;
    }
  }

  /** Takes the event of a call that has not returned yet. Of a listing, only this event names the directory. */
  #enter(call: Call, thread: string, args: ByteString): boolean {
    const file = field(args, 'filename') ?? field(args, 'pathname');
    if (call.kind === 'exec' && file !== null) {
      if (this.#executing.size >= mostExecutions) this.#executing.clear();
      this.#executing.set(thread, resolved(file));
    }
    const listed = call.kind === 'list' ? behind(field(args, 'fd')) : null;
    return listed === null || this.#sink.use(listed, uses.list, noBytes);
  }

  #execute(call: Call, thread: string, args: ByteString, error: string | null): boolean {
    const named = this.#executing.get(thread) ?? field(args, 'filename');
    this.#executing.delete(thread);
    // The other fields tell of the program that ran before, if the execution failed.
    const file = named ?? (error === null ? (field(args, 'trusted_exepath') ?? field(args, 'exe')) : null);
    if (file?.startsWith('/') !== true) return true;
    return applyCall(this.#sink, { call, names: [file], error, flags: '', text: null });
  }

  #open(call: Call, args: ByteString): boolean {
    const name = field(args, 'name');
    const isKnown = name?.startsWith('/') === true;
    const names = [isKnown ? name : (behind(field(args, 'fd')) ?? name)];
    return this.#give(call, names, args, null);
  }

  /** Gives the sink the names of a call, which have other fields for each. */
  #apply(call: Call, args: ByteString, error: string | null): boolean {
    const names = call.kind === 'socket' ? [socketIn(args)] : namesIn(call, args);
    return this.#give(call, names, args, error);
  }

  #give(call: Call, names: readonly (ByteString | null)[], args: ByteString, error: string | null): boolean {
    const found = names.map((name) => (name === null ? null : resolved(name)));
    // libsinsp did not know the directory behind a descriptor.
    if (found.some((name) => name?.includes('<UNKNOWN>') === true)) return error !== null;
    const flags = field(args, 'flags') ?? '';
    return applyCall(this.#sink, { call, names: found, error, flags, text: field(args, 'target') });
  }

  #noteRing({ program, args }: SysdigEvent): void {
    const entries = Number(field(args, 'entries') ?? Number.NaN);
    const polls = pollsBy(field(args, 'flags') ?? '');
    if (mayOpenFiles({ program, entries, polls })) this.#sink.noteRing();
  }
}

/** Returns the name of the error that a call returned, `res=-2(ENOENT)` or `fd=-2(ENOENT)`; null for a call that succeeded. */
function errorOf(args: ByteString): string | null {
  const result = field(args, 'res') ?? field(args, 'fd');
  const found = result?.match(/^(-\d+)(?:\((E[A-Z0-9]+)\))?/);
  return found == null ? null : (found[2] ?? errorName(Number(found[1])));
}

/** The fields that name the file of a call with one name. */
const single = ['path', 'name', 'filename', 'pathname', 'linkpath', 'dir'];

function namesIn(call: Call, args: ByteString): readonly (ByteString | null)[] {
  if (call.kind === 'use' && call.targets.length > 1) return [field(args, 'oldpath'), field(args, 'newpath')];
  for (const key of single) {
    const name = field(args, key);
    if (name !== null) return [name];
  }
  return [];
}

/** Returns the name of a socket of the file system: `addr=/run/x` of bind, and `tuple=0->ffff8800 /run/x` of connect. */
function socketIn(args: ByteString): ByteString | null {
  const address = field(args, 'addr') ?? field(args, 'tuple');
  if (address === null || address.startsWith('/')) return address;
  const name = address.includes('->') ? address.indexOf(' /') : -1;
  return name < 0 ? null : address.slice(name + 1);
}

/** Returns the path behind a descriptor, `3(<f>/etc/hosts)` or `3(<d>/etc)`; null for a descriptor of something else. */
function behind(fd: ByteString | null): ByteString | null {
  return fd?.match(/^\d+\(<[fd]>(\/[^]*)\)$/)?.[1] ?? null;
}

/** Returns where a relative name leads, which sysdig shows behind it as `REL(ABS)`; else the name. */
function resolved(name: ByteString): ByteString {
  if (name.startsWith('/') || !name.endsWith(')')) return name;
  const open = name.indexOf('(/');
  return open < 0 ? name : name.slice(open + 1, -1);
}

/** Returns the value of `key=value`, up to the next key. Null where the key is missing. */
function field(args: ByteString, key: string): ByteString | null {
  const start = args.startsWith(`${key}=`) ? 0 : args.indexOf(` ${key}=`) + 1;
  if (start === 0 && !args.startsWith(`${key}=`)) return null;
  const value = args.slice(start + key.length + 1);
  const next = / [a-z_]+=/.exec(value);
  return (next === null ? value : value.slice(0, next.index)).trimEnd();
}
