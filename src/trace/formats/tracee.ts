/**
 * Reads the events of tracee. `all.ts` offers this format to the trace reader.
 */
import { type ByteString, utf8Bytes, noBytes } from '../../bytes/bytes.ts';
import { isObject, type JsonObject, memberOf } from '../../bytes/json-value.ts';
import { type Uses, uses } from '../trace.ts';
import type { JsonRecords } from './json-records.ts';
import { calls, usesOfOpen } from './strace-calls.ts';

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
      const result = Number(memberOf(object, 'returnValue') ?? args.get('returnValue') ?? 0);
      if (result < 0) return true;
      const path = text(args.get('pathname') ?? args.get('path') ?? args.get('file_path'));
      // Events of sockets and signals name no path.
      if (path === null || path === '') return true;
      const directory = Number(args.get('dirfd') ?? -100);
      // The path is relative to a directory that the event does not name.
      if (!path.startsWith('/') && directory >= 0) return false;
      const interpreter = text(args.get('interpreter_pathname'));
      if (interpreter?.startsWith('/') === true) sink.use(interpreter, uses.open, noBytes);
      return sink.use(path, usesOf(event, args.get('flags')));
    };
  },
};

/** Events are system calls, and hooks of the kernel (`sched_process_exec`, `security_…`). */
function usesOf(event: string, flags: unknown): Uses {
  const call = calls.get(event);
  if (call?.kind === 'exec' || event === 'sched_process_exec' || event === 'security_bprm_check')
    return uses.exec;
  if (call?.kind === 'use') return call.targets[0]?.uses ?? uses.stat;
  if (call?.kind === 'chdir' || call?.kind === 'chroot') return uses.stat;
  if (/^security_inode_(?:unlink|rename|mknod|symlink)/.test(event)) return uses.write;
  return call?.kind === 'open' || event === 'security_file_open'
    ? usesOfOpen(typeof flags === 'string' || typeof flags === 'number' ? String(flags) : '')
    : uses.open;
}

/**
 * Returns arguments by name. They are `{"name":"pathname","value":"/etc/x"}`; in v1beta1 the key of the value may be its
 * type: `"str":"/etc/x"`.
 */
function argumentsOf(list: unknown): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const each of Array.isArray(list) ? (list as readonly unknown[]) : []) {
    if (!isObject(each)) continue;
    const name = memberOf(each, 'name');
    if (typeof name === 'string') found.set(name, valueOf(each));
  }
  return found;
}

function valueOf(argument: JsonObject): unknown {
  for (const key of ['value', 'str', 'int32', 'uint32', 'int64', 'uint64']) {
    const value = memberOf(argument, key);
    if (value !== undefined) return isObject(value) ? valueOf(value) : value;
  }
  return undefined;
}

function text(value: unknown): ByteString | null {
  return typeof value === 'string' ? utf8Bytes(value) : null;
}
