import { type ByteString, noBytes } from '../bytes/bytes.ts';
import { atOnce, itemsPerStep, type Steps } from '../steps.ts';
import { addUses, type NameChange, type Trace, type TracedPath, type Uses } from './trace.ts';
import { started, tracedPath } from './traced-path.ts';

/**
 * Returns the trace with all paths from the root. Those that count from where the program was started are put below
 * `workingDirectory`, the WorkingDir of the image's config.
 */
export function placeTrace(trace: Trace, workingDirectory: ByteString): Trace {
  return atOnce(placeSteps(trace, workingDirectory));
}

/** Places a trace in steps. */
export function* placeSteps(trace: Trace, workingDirectory: ByteString): Steps<Trace> {
  const directory = tracedPath(noBytes, workingDirectory) ?? noBytes;
  const paths = new Map<TracedPath, Uses>();
  const place = (path: TracedPath): TracedPath | null =>
    path === started || path.startsWith(`${started}/`) ? tracedPath(directory, path) : path;
  let seen = 0;
  for (const [path, bits] of trace.paths) {
    if (++seen % itemsPerStep === 0) yield;
    const placed = place(path);
    if (placed !== null && placed !== '') addUses(paths, placed, bits);
  }
  const changes = trace.changes.flatMap((change): readonly NameChange[] => {
    const path = place(change.path);
    if (path === null) return [];
    if (change.kind === 'symlink') return [{ ...change, path }];
    const from = place(change.from);
    return from === null ? [] : [{ ...change, path, from }];
  });
  return { ...trace, paths, changes };
}
