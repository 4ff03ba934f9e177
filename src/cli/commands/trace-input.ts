import { OcislimError } from '../../errors.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Console } from '../command.ts';
import { list, type Values } from '../options/option.ts';

/** The traces that a command names, as one; none named: stdin. @throws USAGE, IO, TRACE_INVALID */
export async function readNamedTrace(values: Values, console: Console): Promise<Trace> {
  const given = list(values, 'files');
  if (given.length === 0 && process.stdin.isTTY)
    throw new OcislimError('USAGE', 'which trace is to be read? Name its file, or pipe it in');
  const { readTraces } = await import('./trace-files.ts');
  const [read, ...others] = await readTraces(given.length === 0 ? ['-'] : given, {
    roots: list(values, 'trace-root'),
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
