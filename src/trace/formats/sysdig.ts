import type { ByteString } from '../../bytes/bytes.ts';
import { isObject, type JsonObject, memberOf } from '../../bytes/json-value.ts';
import { byteMember } from '../json-record.ts';
import { uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';
import type { JsonRecords } from './json-records.ts';
import { calls, usesOfOpen } from './strace-calls.ts';

/** `*%evt.num %evt.time %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.args`, as sysdig prints it by default. */
const line = /^\*?\d+ [\d:.]+ \d+ [^]*? \((\d+)(?:[.:]\d+)*\) ([<>]) ([a-z_][a-z0-9_]*)(?: ([^]*))?$/;

/** `sysdig`, as text. Only events of return (`<`) tell whether a call was a success. */
export const sysdig: TraceFormat = {
  name: 'sysdig',
  unit: 'line',
  detect: ({ lines }) => lines.some((each) => each.length < 10_000 && line.test(each)),
  read(sink) {
    sink.knowsExecs = true;
    const event = newEvents(sink);
    return {
      record(text) {
        const found = line.exec(text);
        if (found === null) return false;
        const [, thread = '', direction, type = '', args = ''] = found;
        return event(thread, direction === '<', type, args);
      },
    };
  },
};

/** `sysdig -j`: the same fields by name. */
export const sysdigJson: JsonRecords = {
  name: 'sysdig',
  matches: (object) =>
    typeof memberOf(object, 'evt.info') === 'string' && memberOf(object, 'evt.type') !== undefined,
  read(sink) {
    sink.knowsExecs = true;
    const event = newEvents(sink);
    return (object) => {
      const type = memberOf(object, 'evt.type');
      const args = byteMember(object, 'evt.info');
      if (typeof type !== 'string' || args === null) return false;
      return event(String(memberOf(object, 'thread.tid')), memberOf(object, 'evt.dir') !== '>', type, args);
    };
  },
};

/** Alerts of falco, as JSON: `fd.name` and what was executed, of the fields that a rule puts out. */
export const falco: JsonRecords = {
  name: 'falco',
  matches: (object) => isObject(memberOf(object, 'output_fields')),
  read: (sink) => (object) => {
    const fields = memberOf(object, 'output_fields');
    if (!isObject(fields)) return false;
    const result = memberOf(fields, 'evt.res');
    if (typeof result === 'string' && result !== 'SUCCESS' && /^E[A-Z0-9]+$/.test(result)) return true;
    return usedBy(fields, sink);
  },
};

function usedBy(fields: JsonObject, sink: TraceSink): boolean {
  const type = memberOf(fields, 'evt.type');
  const executable = byteMember(fields, 'proc.exepath');
  if (executable?.startsWith('/') === true) {
    sink.knowsExecs = true;
    sink.use(executable, uses.exec, '');
  }
  const name = byteMember(fields, 'fd.name');
  // Sockets have names too: `10.0.0.1:80->…`.
  if (name?.startsWith('/') !== true) return true;
  const flags = memberOf(fields, 'evt.arg.flags');
  const how = typeof flags === 'string' && type !== 'execve' ? usesOfOpen(flags) : uses.open;
  return sink.use(name, how, '');
}

const execs = 4096;

/** Returns what takes one event: by which thread, whether it is the return, its type and its arguments. */
function newEvents(
  sink: TraceSink,
): (thread: string, isReturn: boolean, type: string, args: ByteString) => boolean {
  /** What threads are about to execute: only the event of the call names the file. */
  const executing = new Map<string, ByteString>();
  return (thread, isReturn, type, args) => {
    const call = calls.get(type);
    if (call === undefined) return true;
    if (!isReturn) {
      const file = field(args, 'filename');
      if (call.kind === 'exec' && file !== null) {
        if (executing.size >= execs) executing.clear();
        executing.set(thread, file);
      }
      const listed = field(args, 'fd');
      if (call.kind === 'list' && listed !== null) return usedFd(sink, listed, uses.list);
      return true;
    }
    const result = field(args, 'res') ?? field(args, 'fd');
    if (result?.startsWith('-') === true) return true;
    switch (call.kind) {
      case 'exec': {
        const file = executing.get(thread) ?? field(args, 'trusted_exepath') ?? field(args, 'exe');
        executing.delete(thread);
        return file === null || !file.startsWith('/') || sink.use(file, uses.exec, '');
      }
      case 'open': {
        const how = call.target.uses | usesOfOpen(field(args, 'flags') ?? '');
        const name = field(args, 'name');
        if (name?.startsWith('/') === true) return sink.use(resolved(name), how, '');
        const fd = field(args, 'fd');
        if (fd !== null && usedFd(sink, fd, how)) return true;
        return name === null || sink.use(resolved(name), how);
      }
      case 'use':
      case 'chdir':
      case 'chroot': {
        const how = call.kind === 'use' ? (call.targets[0]?.uses ?? uses.stat) : uses.stat;
        for (const key of ['path', 'name', 'oldpath', 'newpath', 'linkpath']) {
          const name = field(args, key);
          if (name !== null && name !== '') sink.use(resolved(name), how);
        }
        return true;
      }
      case 'list':
      case 'fchdir':
      case 'pivot':
      case 'fork':
      case 'unshare':
      case 'setns':
      case 'dup':
      case 'fcntl':
      case 'close':
        return true;
    }
  };
}

/** `3(<f>/etc/hosts)`, `3(<d>/etc)`. */
function usedFd(sink: TraceSink, fd: ByteString, how: number): boolean {
  const path = /^\d+\(<[fd]>(\/[^]*)\)$/.exec(fd)?.[1];
  return path !== undefined && sink.use(path, how, '');
}

/** `REL(ABS)`: where the relative name leads; else the name. */
function resolved(name: ByteString): ByteString {
  if (name.startsWith('/') || !name.endsWith(')')) return name;
  const open = name.indexOf('(/');
  return open < 0 ? name : name.slice(open + 1, -1);
}

/** `key=value`, up to the next key. */
function field(args: ByteString, key: string): ByteString | null {
  const start = args.startsWith(`${key}=`) ? 0 : args.indexOf(` ${key}=`) + 1;
  if (start === 0 && !args.startsWith(`${key}=`)) return null;
  const value = args.slice(start + key.length + 1);
  const next = / [a-z_]+=/.exec(value);
  return (next === null ? value : value.slice(0, next.index)).trimEnd();
}
