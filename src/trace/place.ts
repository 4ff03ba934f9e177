import { type ByteString, noBytes } from '../bytes/bytes.ts';
import type { Trace, TracedPath, Uses } from './trace.ts';
import { started, tracedPath } from './traced-path.ts';

/**
 * Returns the trace with all paths from the root. Those that count from where the program was started are put below
 * `workingDirectory`, the WorkingDir of the image's config.
 */
export function placeTrace(trace: Trace, workingDirectory: ByteString): Trace {
  const directory = tracedPath(noBytes, workingDirectory) ?? noBytes;
  const paths = new Map<TracedPath, Uses>();
  for (const [path, bits] of trace.paths) {
    const placed = path === started || path.startsWith(`${started}/`) ? tracedPath(directory, path) : path;
    if (placed !== null && placed !== '') paths.set(placed, (paths.get(placed) ?? 0) | bits);
  }
  return { ...trace, paths };
}
