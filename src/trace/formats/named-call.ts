/**
 * One call of a tool that shows the names among its arguments one by one (sysdig, falco, tracee): what it says about files. Their readers
 * find the names and the result, and this file knows what both mean.
 */
import { ascii, type ByteString, noBytes } from '../../bytes/bytes.ts';
import { type TracedPath, type Uses, uses } from '../trace.ts';
import type { TraceSink } from '../trace-sink.ts';
import { type Call, usesOfOpen } from './strace-calls.ts';
import { targetsOf, usesOfFailure, usesOfOne } from './strace-failures.ts';

/** A call that has returned. */
export interface NamedCall {
  readonly call: Call;
  /** The names of its targets, in their order, as the tool shows them. Null for one that it does not show. */
  readonly names: readonly (ByteString | null)[];
  /** The name of its error, "EACCES"; null for a call that succeeded. */
  readonly error: string | null;
  /** Its flags by name or number (x86); '' where it has none. */
  readonly flags: string;
  /** What a new symlink leads to; null for another call. */
  readonly text: ByteString | null;
}

/** AT_SYMLINK_NOFOLLOW (include/uapi/linux/fcntl.h). */
const noFollow = 0x100;

/** Gives the sink what a call used and changed. Returns false for a name that no system call takes. */
export function applyCall(sink: TraceSink, named: NamedCall): boolean {
  let isReadable = true;
  for (const [i, how] of usesOf(named).entries()) {
    const name = named.names[i] ?? null;
    if (name !== null && name !== '' && how !== 0) isReadable = sink.use(name, how) && isReadable;
  }
  if (named.error === null) applyChange(sink, named);
  return isReadable;
}

/** Returns how the call used its names, in their order. */
function usesOf({ call, error, flags }: NamedCall): readonly Uses[] {
  if (error !== null) {
    const failure = { call, error, openFlags: flags };
    return call.kind === 'socket' ? [usesOfOne(failure, call.uses)] : usesOfFailure(failure);
  }
  if (call.kind === 'socket') return [call.uses];
  if (call.kind === 'list') return [uses.list];
  return targetsOf(call).map((target) => {
    if (call.kind === 'open') return target.uses | (call.flags === null ? 0 : usesOfOpen(flags));
    if (target.flags === null || !hasNoFollow(flags)) return target.uses;
    return target.uses === uses.stat ? uses.link : target.uses | uses.link;
  });
}

function hasNoFollow(flags: string): boolean {
  return flags.includes('AT_SYMLINK_NOFOLLOW') || (/^\d/.test(flags) && (Number(flags) & noFollow) !== 0);
}

/** Records what a call renamed or linked. */
function applyChange(sink: TraceSink, { call, names, text, flags }: NamedCall): void {
  if (call.kind !== 'use' || call.change === null) return;
  const [first, second] = names.map((name) => located(sink, name));
  if (first === null || first === undefined) return;
  if (call.change.kind === 'symlink') {
    if (text !== null && text !== '') sink.change({ kind: 'symlink', path: first, target: text });
    return;
  }
  if (call.change.kind !== 'move' || second === null || second === undefined || first === second) return;
  sink.change({ kind: 'moved', path: second, from: first });
  if (flags.includes('RENAME_EXCHANGE')) sink.change({ kind: 'moved', path: first, from: second });
}

function located(sink: TraceSink, name: ByteString | null): TracedPath | null {
  if (name === null || name === '') return null;
  const found = sink.locate(name);
  return found === null || found === 'outside' || found.path === noBytes ? null : found.path;
}

/** Joins a name to the directory behind a descriptor. */
export function inDirectory(directory: ByteString, name: ByteString): ByteString {
  return name.startsWith('/') ? name : ascii`${directory}/${name}`;
}
