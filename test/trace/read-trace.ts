import { readFileSync } from 'node:fs';
import type { Trace } from '../../src/trace/trace.ts';
import { wordsOf } from '../../src/trace/trace-file.ts';
import { TraceReader } from '../../src/trace/trace-reader.ts';
import type { TraceOptions } from '../../src/trace/trace-sink.ts';

/** Reads a trace from text (one byte a character) or bytes, in chunks of this size. */
export function readTrace(
  trace: string | Uint8Array,
  options: TraceOptions & { file?: string; chunk?: number } = {},
): Trace {
  const bytes = typeof trace === 'string' ? Buffer.from(trace, 'latin1') : trace;
  const { file = 'app.trace', chunk = 1 << 16, ...rest } = options;
  const reader = new TraceReader(file, rest);
  for (let start = 0; start < bytes.length; start += chunk)
    reader.write(bytes.subarray(start, start + chunk));
  return reader.end();
}

/** Reads a recorded trace in `fixtures/traces`. */
export function readFixture(name: string, options: TraceOptions & { chunk?: number } = {}): Trace {
  return readTrace(readFileSync(new URL(`../../fixtures/traces/${name}`, import.meta.url)), {
    file: name,
    ...options,
  });
}

/** Returns the paths with the words of their uses, sorted. */
export function usesOf(trace: Trace): Record<string, string> {
  return Object.fromEntries(
    [...trace.paths]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, bits]) => [path, wordsOf(bits).join(' ')]),
  );
}
