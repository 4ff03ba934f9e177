/**
 * What calls of strace that failed tell about files. A pruned image holds a part of what the traced one held, so that a name
 * without a file stays one. Every other error came from something that is there: without it, the call would fail in another way
 * or succeed. spec-notes/strace-calls.md has the table.
 */
import { type Uses, uses } from '../trace.ts';
import { type Call, hasOpenFlag, type Target } from './strace-calls.ts';

/**
 * Errors that do not depend on what the image holds: bad arguments, limits of the process, calls that the kernel does not have,
 * and calls that wait. ENOENT says that something is missing, as it will be.
 */
const silent: ReadonlySet<string> = new Set(
  'ENOENT EBADF EFAULT ENAMETOOLONG EMFILE ENFILE ENOMEM ENOSYS EINTR EINPROGRESS EALREADY EISCONN EAFNOSUPPORT'.split(
    ' ',
  ),
);

/** Errors of calls that create a name, which is there already: a symlink in its place is not followed. */
const taken: ReadonlySet<string> = new Set(['EEXIST', 'EADDRINUSE']);

/** The error that says of a directory that it has entries: of several names, the last. */
const filled = 'ENOTEMPTY';

/** A failed call, as far as it matters here. */
export interface Failure {
  readonly call: Call;
  /** The name of the error, "EACCES". */
  readonly error: string;
  /** The flags of an opening as they are written; '' for another call. */
  readonly openFlags: string;
}

/** Returns the targets of a call, whose uses a failure changes. */
export function targetsOf(call: Call): readonly Target[] {
  if (call.kind === 'use') return call.targets;
  return 'target' in call ? [call.target] : [];
}

/** Returns how a failed call used the names of its targets, in their order; 0 where the error tells nothing. */
export function usesOfFailure(failure: Failure): readonly Uses[] {
  const targets = targetsOf(failure.call);
  return targets.map(
    (target, i) =>
      usesOfOne(failure, target.uses) |
      (failure.error === filled && i === targets.length - 1 ? uses.list : 0),
  );
}

/** Returns how a failed call used a name. `own`: how the call uses it where it succeeds. */
export function usesOfOne({ call, error, openFlags }: Failure, own: Uses): Uses {
  // A dangling symlink whose directory is missing. Without the symlink, the file would have been created.
  if (error === 'ENOENT') return call.kind === 'open' && creates(call, openFlags) ? uses.failLink : 0;
  if (error === '' || silent.has(error)) return 0;
  const isAtLink =
    (own & uses.link) !== 0 ||
    taken.has(error) ||
    (call.kind === 'open' && (hasOpenFlag(openFlags, 'O_NOFOLLOW') || hasOpenFlag(openFlags, 'O_EXCL')));
  return isAtLink ? uses.failLink : uses.fail;
}

function creates({ flags }: Extract<Call, { kind: 'open' }>, openFlags: string): boolean {
  return flags === null || hasOpenFlag(openFlags, 'O_CREAT');
}

/** Returns whether a call creates the name of one of its targets, which are numbered from 0. */
export function createsTarget({ call, openFlags }: Failure, index: number): boolean {
  if (call.kind === 'socket') return (call.uses & uses.write) !== 0;
  if (call.kind === 'open') return creates(call, openFlags);
  if (call.kind !== 'use' || call.change === null) return false;
  return call.change.kind === 'move' ? index === 1 : call.change.kind !== 'mount';
}
