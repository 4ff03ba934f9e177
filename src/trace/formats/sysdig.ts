/**
 * Reads what sysdig prints, as text and as JSON, and the alerts of falco, which is built on the same library (libsinsp).
 * `all.ts` offers these formats to the trace reader.
 */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { isObject, type JsonObject, memberOf } from '../../bytes/json-value.ts';
import { byteMember } from '../json-record.ts';
import { type Uses, uses } from '../trace.ts';
import { hasLine, type TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';
import type { JsonRecords } from './json-records.ts';
import { type Call, calls, usesOfOpen } from './strace-calls.ts';

/** The default output: `*%evt.num %evt.time %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.args`. */
const line = /^\*?\d+ [\d:.]+ \d+ [^]*? \((\d+)(?:[.:]\d+)*\) ([<>]) ([a-z_][a-z0-9_]*)(?: ([^]*))?$/;

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
        const [, thread = '', direction, type = '', args = noBytes] = found;
        return events.take({ thread, isReturn: direction === '<', type, args });
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
      const thread = String(memberOf(object, 'thread.tid'));
      return events.take({ thread, isReturn: memberOf(object, 'evt.dir') !== '>', type, args });
    };
  },
};

/** The alerts of falco, as JSON. Read are `fd.name` and `proc.exepath`, where the rule of an alert puts them out. */
export const falco: JsonRecords = {
  name: 'falco',
  matches: (object) => isObject(memberOf(object, 'output_fields')),
  read: (sink) => (object) => {
    const fields = memberOf(object, 'output_fields');
    if (!isObject(fields)) return false;
    const result = memberOf(fields, 'evt.res');
    if (typeof result === 'string' && result !== 'SUCCESS' && /^E[A-Z0-9]+$/.test(result)) return true;
    return useFields(fields, sink);
  },
};

function useFields(fields: JsonObject, sink: TraceSink): boolean {
  const type = memberOf(fields, 'evt.type');
  const executable = byteMember(fields, 'proc.exepath');
  if (executable?.startsWith('/') === true) {
    sink.knowsExecs = true;
    sink.use(executable, uses.exec, noBytes);
  }
  const name = byteMember(fields, 'fd.name');
  // The names of sockets look like `10.0.0.1:80->…`.
  if (name?.startsWith('/') !== true) return true;
  const flags = memberOf(fields, 'evt.arg.flags');
  const how = typeof flags === 'string' && type !== 'execve' ? usesOfOpen(flags) : uses.open;
  return sink.use(name, how, noBytes);
}

/** The most threads that are remembered between the call of an execve and its return. */
const mostExecutions = 4096;

/** One event of sysdig. */
interface SysdigEvent {
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
  take({ thread, isReturn, type, args }: SysdigEvent): boolean {
    const call = calls.get(type);
    if (call === undefined) return true;
    if (!isReturn) return this.#enter(call, thread, args);
    const result = field(args, 'res') ?? field(args, 'fd');
    if (result?.startsWith('-') === true) return true;
    switch (call.kind) {
      case 'exec':
        return this.#execute(thread, args);
      case 'open':
        return this.#open(args, call.target.uses | usesOfOpen(field(args, 'flags') ?? ''));
      case 'use':
        return this.#useNames(args, call.targets[0]?.uses ?? uses.stat);
      case 'chdir':
      case 'chroot':
        return this.#useNames(args, uses.stat);
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
      case 'socket':
      case 'ring':
        return true;
    }
  }

  /** Takes the event of a call that has not returned yet. Of a listing, only this event names the directory. */
  #enter(call: Call, thread: string, args: ByteString): boolean {
    const file = field(args, 'filename');
    if (call.kind === 'exec' && file !== null) {
      if (this.#executing.size >= mostExecutions) this.#executing.clear();
      this.#executing.set(thread, file);
    }
    const listed = field(args, 'fd');
    return call.kind !== 'list' || listed === null || this.#useDescriptor(listed, uses.list);
  }

  #execute(thread: string, args: ByteString): boolean {
    const file = this.#executing.get(thread) ?? field(args, 'trusted_exepath') ?? field(args, 'exe');
    this.#executing.delete(thread);
    return file === null || !file.startsWith('/') || this.#sink.use(file, uses.exec, noBytes);
  }

  #open(args: ByteString, how: Uses): boolean {
    const name = field(args, 'name');
    if (name?.startsWith('/') === true) return this.#sink.use(resolved(name), how, noBytes);
    const fd = field(args, 'fd');
    if (fd !== null && this.#useDescriptor(fd, how)) return true;
    return name === null || this.#sink.use(resolved(name), how);
  }

  #useNames(args: ByteString, how: Uses): true {
    for (const key of ['path', 'name', 'oldpath', 'newpath', 'linkpath']) {
      const name = field(args, key);
      if (name !== null && name !== '') this.#sink.use(resolved(name), how);
    }
    return true;
  }

  /** Reads `3(<f>/etc/hosts)` and `3(<d>/etc)`. Returns false for a descriptor of something else. */
  #useDescriptor(fd: ByteString, how: Uses): boolean {
    const path = fd.match(/^\d+\(<[fd]>(\/[^]*)\)$/)?.[1];
    return path !== undefined && this.#sink.use(path, how, noBytes);
  }
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
