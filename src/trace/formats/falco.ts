/**
 * Reads the alerts of falco, as JSON. A rule of falco chooses the calls and the fields that its alerts put out, so that each field may be
 * missing; `all.ts` offers this format to the trace reader.
 */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { isObject, type JsonObject, memberOf, stringOr } from '../../bytes/json-value.ts';
import { byteMember, scalarOf } from '../json-record.ts';
import { uses } from '../trace.ts';
import type { TraceSink } from '../trace-sink.ts';
import { errorName } from './errno.ts';
import type { JsonRecords } from './json-records.ts';
import { applyCall } from './named-call.ts';
import { mayOpenFiles } from './rings.ts';
import { type Call, calls } from './strace-calls.ts';

/** The alerts of falco (falco.org, "Supported Fields for Conditions and Outputs"). */
export const falco: JsonRecords = {
  name: 'falco',
  matches: (object) => isObject(memberOf(object, 'output_fields')),
  read: (sink) => (object) => {
    const fields = memberOf(object, 'output_fields');
    if (!isObject(fields)) return false;
    useProgram(fields, sink);
    return useCall(fields, sink);
  },
};

/** Records the program that made the call: it ran, whatever the call returned. */
function useProgram(fields: JsonObject, sink: TraceSink): void {
  const executable = byteMember(fields, 'proc.exepath');
  if (executable?.startsWith('/') !== true) return;
  sink.knowsExecs = true;
  sink.use(executable, uses.exec, noBytes);
}

/** What an alert without the name of its call counts as. */
const unknown = calls.get('open') as Call;

function useCall(fields: JsonObject, sink: TraceSink): boolean {
  const call = calls.get(stringOr(memberOf(fields, 'evt.type'), '')) ?? unknown;
  const error = errorOf(fields);
  if (call.kind === 'ring' && error === null) {
    const program = byteMember(fields, 'proc.name') ?? '';
    if (mayOpenFiles({ program, entries: Number.NaN, polls: false })) sink.noteRing();
  }
  // `fd.name` is of the descriptor; of a program that was executed, `proc.exepath` tells.
  if (call.kind === 'exec' && error === null) return true;
  const flags = memberOf(fields, 'evt.arg.flags');
  const names = namesIn(call, fields);
  // Other calls of a descriptor (read, fchmod, …) use the file that was opened.
  const known = hasNames(call) ? call : unknown;
  return applyCall(sink, {
    call: known,
    names,
    error,
    flags: typeof flags === 'string' ? flags : '',
    text: byteMember(fields, 'evt.arg.target'),
  });
}

function hasNames({ kind }: Call): boolean {
  return ['use', 'open', 'exec', 'chdir', 'chroot', 'list', 'socket'].includes(kind);
}

/** Returns the error of the call, by its name or by the number that it returned; null where it succeeded, and where no field tells. */
function errorOf(fields: JsonObject): string | null {
  const result = memberOf(fields, 'evt.res');
  if (typeof result === 'string' && /^E[A-Z0-9]+$/.test(result)) return result;
  const raw = Number(scalarOf(memberOf(fields, 'evt.rawres')) ?? 0);
  return raw < 0 ? errorName(raw) : null;
}

/** The fields that name the file of a call, the best first: the names of sockets look like `10.0.0.1:80->…`. */
const single = [
  'fd.name',
  'fs.path.name',
  'evt.arg.path',
  'evt.arg.name',
  'evt.arg.filename',
  'evt.arg.pathname',
];

/** Returns the absolute names among the fields: where a relative one counts from, no field tells. */
function namesIn(call: Call, fields: JsonObject): readonly (ByteString | null)[] {
  const pick = (keys: readonly string[]): ByteString | null => {
    for (const key of keys) {
      const name = byteMember(fields, key);
      if (name?.startsWith('/') === true) return name;
    }
    return null;
  };
  if (call.kind !== 'use') return [pick(single)];
  if (call.change?.kind === 'symlink') return [pick(['evt.arg.linkpath', 'fs.path.source', ...single])];
  if (call.targets.length === 1) return [pick(single)];
  // Of a rename, the source is the old name; of a link, the new one.
  const isLink = call === calls.get('link') || call === calls.get('linkat');
  const sides = { source: pick(['fs.path.source']), target: pick(['fs.path.target']) };
  const [old, made] = isLink ? [sides.target, sides.source] : [sides.source, sides.target];
  return [pick(['evt.arg.oldpath']) ?? old ?? null, pick(['evt.arg.newpath']) ?? made ?? null];
}
