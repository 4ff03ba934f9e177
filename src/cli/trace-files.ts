import { createReadStream } from 'node:fs';
import { OcislimError } from '../errors.ts';
import { mergeTraces } from '../slim/trace/merge.ts';
import type { Trace } from '../slim/trace/trace.ts';
import { TraceReader } from '../slim/trace/trace-reader.ts';
import type { TraceOptions } from '../slim/trace/trace-sink.ts';
import { fileError } from '../store/file-error.ts';

/** Reads traces of any form and merges them; without any file, stdin. @throws IO, LIMIT, TRACE_INVALID, USAGE */
export async function readTraces(
  files: readonly string[],
  options: TraceOptions,
  signal: AbortSignal,
): Promise<Trace> {
  if (files.length === 0) {
    if (process.stdin.isTTY)
      throw new OcislimError('USAGE', 'which trace is to be read? Name its file, or pipe it in');
    return readTrace('stdin', process.stdin, options, signal);
  }
  const traces: Trace[] = [];
  for (const file of files) {
    const stream = createReadStream(file, { highWaterMark: 1 << 20, signal });
    traces.push(await readTrace(file, stream, options, signal));
  }
  return mergeTraces(traces);
}

async function readTrace(
  name: string,
  stream: AsyncIterable<Uint8Array>,
  options: TraceOptions,
  signal: AbortSignal,
): Promise<Trace> {
  const reader = new TraceReader(name, options);
  try {
    for await (const chunk of stream) reader.write(chunk);
  } catch (error) {
    signal.throwIfAborted();
    throw fileError(`read the trace ${name}`, error);
  }
  return reader.end();
}
