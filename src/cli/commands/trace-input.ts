/** Reads the traces that an action of `trace` names, as one trace. */
import { OcislimError } from '../../errors.ts';
import type { Trace } from '../../trace/trace.ts';
import type { TraceCall } from './trace-call.ts';

/** Reads the traces that a command names and merges them into one. Default: stdin. @throws USAGE, IO, TRACE_INVALID */
export async function readNamedTrace({ line, settings, console }: TraceCall): Promise<Trace> {
  const given = line.argumentsOf('files');
  if (given.length === 0 && process.stdin.isTTY)
    throw new OcislimError('USAGE', 'no trace was given: name its file, or pipe it in');
  const { limitsOf } = await import('../../settings/limits.ts');
  const { readTraces } = await import('../../settings/trace-files.ts');
  const [read, ...others] = await readTraces(given.length === 0 ? ['-'] : given, {
    roots: settings.traceRoot,
    limits: limitsOf(settings.limit),
    signal: console.signal,
  });
  if (read === undefined || others.length > 0)
    throw new OcislimError(
      'TRACE_INVALID',
      `the traces are of several platforms: ${[read, ...others].map((trace) => trace?.platform).join(', ')}`,
      { advice: 'Give those of one platform at a time.' },
    );
  return read;
}
