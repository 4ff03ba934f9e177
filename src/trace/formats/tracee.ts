/**
 * Reads the events of tracee: system calls, and hooks of the kernel (`sched_process_exec`, `security_…`). `all.ts` offers this format to
 * the trace reader.
 */
import { type ByteString, utf8Bytes, noBytes } from '../../bytes/bytes.ts';
import { isObject, type JsonObject, memberOf } from '../../bytes/json-value.ts';
import { scalarOf } from '../json-record.ts';
import { type Uses, uses } from '../trace.ts';
import type { TraceSink } from '../trace-sink.ts';
import { errorName } from './errno.ts';
import type { JsonRecords } from './json-records.ts';
import { applyCall, inDirectory } from './named-call.ts';
import { mayOpenFiles } from './rings.ts';
import { type Call, calls, type Target, usesOfOpen } from './strace-calls.ts';

/** The arguments of an event by name. */
type Arguments = ReadonlyMap<string, unknown>;

/** The JSON of tracee: events with `eventName` and `args` (before 1.0), or with `name` and `data` (v1beta1). */
export const tracee: JsonRecords = {
  name: 'tracee',
  matches: (object) =>
    (typeof memberOf(object, 'eventName') === 'string' && Array.isArray(memberOf(object, 'args'))) ||
    (typeof memberOf(object, 'name') === 'string' && Array.isArray(memberOf(object, 'data'))),
  read(sink) {
    sink.knowsExecs = true;
    return (object) => {
      const event = memberOf(object, 'eventName') ?? memberOf(object, 'name');
      if (typeof event !== 'string') return false;
      const args = argumentsOf(memberOf(object, 'args') ?? memberOf(object, 'data'));
      const result = Number(
        scalarOf(memberOf(object, 'returnValue')) ?? scalarOf(args.get('returnValue')) ?? 0,
      );
      const error = result < 0 ? errorName(result) : null;
      if (event === 'io_uring_create' || event === 'io_uring_setup') {
        if (error === null) noteRing(object, args, sink);
        return true;
      }
      const call = calls.get(event);
      return call === undefined || !hasNames(call)
        ? useHook(event, args, error, sink)
        : useCall(call, args, error, sink);
    };
  },
};

function hasNames({ kind }: Call): boolean {
  return ['use', 'open', 'exec', 'chdir', 'chroot', 'list', 'socket'].includes(kind);
}

/** Reads a system call. Returns false for one with a name whose directory the event does not tell. */
function useCall(call: Call, args: Arguments, error: string | null, sink: TraceSink): boolean {
  const names = namesIn(call, args);
  if (names.includes(undefined)) return error !== null;
  return applyCall(sink, {
    call,
    names: names.map((name) => name ?? null),
    error,
    flags: flagsIn(args),
    text: text(args.get('target') ?? args.get('oldname')),
  });
}

/** The arguments that hold the name of a call with one, and its descriptor. */
const single = ['pathname', 'path', 'filename', 'linkpath', 'newname', 'dir_name', 'target'];
const directories = ['dirfd', 'dfd', 'newdirfd', 'newdfd'];
/** Those of a call with two. */
const pair = [
  { names: ['oldpath', 'oldname'], directories: ['olddirfd', 'olddfd'] },
  { names: ['newpath', 'newname'], directories: ['newdirfd', 'newdfd'] },
];

/** Returns the names of a call: null for one that is missing, undefined for one relative to a descriptor which no event names. */
function namesIn(call: Call, args: Arguments): readonly (ByteString | null | undefined)[] {
  if (call.kind === 'socket') return [socketIn(args)];
  if (call.kind === 'list') return [behind(args.get('fd'))];
  const targets: readonly Target[] = 'targets' in call ? call.targets : [];
  if (targets.length > 1) return pair.map((keys) => nameIn(args, keys.names, keys.directories));
  return [nameIn(args, single, directories)];
}

function nameIn(
  args: Arguments,
  names: readonly string[],
  descriptors: readonly string[],
): ByteString | null | undefined {
  const name = text(first(args, names));
  if (name === null || name === '' || name.startsWith('/')) return name;
  const descriptor = first(args, descriptors);
  const directory = behind(descriptor);
  if (directory !== null) return inDirectory(directory, name);
  return Number(scalarOf(descriptor) ?? -100) >= 0 ? undefined : name;
}

function first(args: Arguments, keys: readonly string[]): unknown {
  for (const key of keys) if (args.has(key)) return args.get(key);
  return undefined;
}

/** Returns the path of a descriptor as `--output option:parse-arguments-fds` shows it: `5=/etc`. */
function behind(descriptor: unknown): ByteString | null {
  return typeof descriptor === 'string' ? text(/^\d+=(\/.*)$/s.exec(descriptor)?.[1]) : null;
}

/** Returns the name of a socket of the file system: `{"sa_family":"AF_UNIX","sun_path":"/run/x"}`. */
function socketIn(args: Arguments): ByteString | null {
  const address = args.get('addr') ?? args.get('remote_addr') ?? args.get('local_addr');
  const path = isObject(address) ? text(memberOf(address, 'sun_path') ?? memberOf(address, 'sunPath')) : null;
  return path?.startsWith('/') === true ? path : null;
}

/** Reads a hook of the kernel. Those of sockets and signals name no path. */
function useHook(event: string, args: Arguments, error: string | null, sink: TraceSink): boolean {
  if (error !== null) return true;
  const [from, path] = ['old_path', 'new_path'].map((key) => text(args.get(key)));
  if (event === 'security_inode_rename' && from?.startsWith('/') === true && path?.startsWith('/') === true) {
    const change = calls.get('rename') as Call;
    return applyCall(sink, { call: change, names: [from, path], error, flags: '', text: null });
  }
  const name = text(first(args, ['pathname', 'path', 'file_path', 'linkpath']));
  if (name === null || name === '') return true;
  const interpreter = text(args.get('interpreter_pathname'));
  if (interpreter?.startsWith('/') === true) sink.use(interpreter, uses.open, noBytes);
  return sink.use(name, usesOfHook(event, flagsIn(args)));
}

function usesOfHook(event: string, flags: string): Uses {
  if (event === 'sched_process_exec' || event === 'security_bprm_check') return uses.exec;
  if (/^security_inode_(?:unlink|rename|mknod|symlink)/.test(event)) return uses.write;
  return event === 'security_file_open' ? usesOfOpen(flags) : uses.open;
}

function noteRing(object: JsonObject, args: Arguments, sink: TraceSink): void {
  const program = text(memberOf(object, 'processName')) ?? '';
  const entries = Number(scalarOf(args.get('sq_entries') ?? args.get('entries')) ?? Number.NaN);
  if (mayOpenFiles({ program, entries, polls: args.get('polling') === true })) sink.noteRing();
}

function flagsIn(args: Arguments): string {
  return String(scalarOf(args.get('flags')) ?? '');
}

/**
 * Returns arguments by name. They are `{"name":"pathname","value":"/etc/x"}`; in v1beta1 the key of the value may be its
 * type: `"str":"/etc/x"`.
 */
function argumentsOf(list: unknown): Arguments {
  const found = new Map<string, unknown>();
  for (const each of Array.isArray(list) ? (list as readonly unknown[]) : []) {
    if (!isObject(each)) continue;
    const name = memberOf(each, 'name');
    if (typeof name === 'string') found.set(name, valueOf(each));
  }
  return found;
}

const typed = ['str', 'int32', 'uint32', 'int64', 'uint64', 'sockaddr'];

/** Returns the value of an argument; v1beta1 may wrap it by its type, as in `{"value":{"str":"/etc/x"}}`. */
function valueOf(argument: JsonObject): unknown {
  const value = memberIn(argument, ['value', ...typed]);
  return (isObject(value) ? memberIn(value, typed) : undefined) ?? value;
}

/** Returns the first of these members that an object has. */
function memberIn(object: JsonObject, keys: readonly string[]): unknown {
  const key = keys.find((each) => memberOf(object, each) !== undefined);
  return key === undefined ? undefined : memberOf(object, key);
}

function text(value: unknown): ByteString | null {
  return typeof value === 'string' ? utf8Bytes(value) : null;
}
