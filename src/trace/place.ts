import type { ByteString } from '../bytes/bytes.ts';
import type { Trace, TracedPath, Uses } from './trace.ts';
import { started, tracedPath } from './traced-path.ts';

/**
 * The trace with every path from the root: a program whose start the trace does not tell was started in this directory, the
 * image's WorkingDir.
 */
export function placeTrace(trace: Trace, workingDirectory: ByteString): Trace {
  const directory = tracedPath('', workingDirectory) ?? '';
  const paths = new Map<TracedPath, Uses>();
  for (const [path, bits] of trace.paths) {
    const placed = path === started || path.startsWith(`${started}/`) ? tracedPath(directory, path) : path;
    if (placed !== null && placed !== '') paths.set(placed, (paths.get(placed) ?? 0) | bits);
  }
  return { ...trace, paths };
}
