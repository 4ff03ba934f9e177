import { createReadStream } from 'node:fs';
import { OcislimError } from '../errors.ts';
import { checkTrace, mergeTraces } from '../slim/trace/merge.ts';
import type { Trace } from '../slim/trace/trace.ts';
import { TraceReader } from '../slim/trace/trace-reader.ts';

export interface TraceFileOptions {
  /** `--trace-root`, as given. */
  readonly roots: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Reads traces, `-` for stdin, and merges those of one platform. A trace that names no platform goes with the only one
 * that the others name.
 * @throws USAGE for a file that cannot be read, TRACE_INVALID
 */
export async function readTraces(
  files: readonly string[],
  options: TraceFileOptions,
): Promise<readonly Trace[]> {
  const groups = new Map<string | null, Trace[]>();
  for (const file of files) {
    const trace = await readTrace(file, options);
    groups.set(trace.platform, [...(groups.get(trace.platform) ?? []), trace]);
  }
  const nameless = groups.get(null) ?? [];
  const named = [...groups].filter(([platform]) => platform !== null);
  if (nameless.length > 0 && named.length > 1)
    throw new OcislimError(
      'TRACE_INVALID',
      `the traces are of ${named.map(([platform]) => platform).join(' and ')}, and ${nameless[0]?.name ?? ''} does not say of which it is`,
    );
  const merged = named.length === 0 ? [nameless] : named.map(([, traces]) => [...traces, ...nameless]);
  return merged.map((traces) => checkTrace(mergeTraces(traces)));
}

async function readTrace(file: string, { roots, signal }: TraceFileOptions): Promise<Trace> {
  const name = file === '-' ? 'stdin' : file;
  const reader = new TraceReader(name, { roots: roots.map((root) => Buffer.from(root).toString('latin1')) });
  const stream = file === '-' ? process.stdin : createReadStream(file, { signal, highWaterMark: 1 << 20 });
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      signal.throwIfAborted();
      reader.write(chunk);
    }
  } catch (cause) {
    if (cause instanceof OcislimError || signal.aborted) throw signal.aborted ? signal.reason : cause;
    const why =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
    throw new OcislimError('USAGE', `cannot read the trace ${JSON.stringify(file)}: ${why}`, { cause });
  }
  return reader.end();
}
