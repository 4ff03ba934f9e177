/** Reads the files of traces that options name, and merges those of one platform. Callers: --trace and the command `trace`. */
import { addAbortSignal } from 'node:stream';
import { OcislimError } from '../errors.ts';
import { utf8Bytes } from '../bytes/bytes.ts';
import { quotePath } from '../bytes/path.ts';
import { streamGiven } from '../files/given-file.ts';
import type { Limits } from '../limits.ts';
import { checkTrace, mergeTraces, samePlatform } from '../trace/merge.ts';
import type { Trace } from '../trace/trace.ts';
import { toTraceData } from '../trace/trace-data.ts';
import { TraceReader } from '../trace/trace-reader.ts';
import type { TraceSetting } from './trace-setting.ts';

/** How to read traces. */
export interface TraceFileOptions {
  /** The folders of `--trace-root`, as given. */
  readonly roots: readonly string[];
  readonly limits: Pick<Limits, 'trace-bytes' | 'trace-paths'>;
  readonly signal: AbortSignal;
}

/**
 * Reads traces, `-` for stdin, and merges those of one platform: of `linux/arm64` and `linux/arm64/v8` too. A trace that
 * names no platform goes with the only one that the others name.
 * @throws USAGE for a file that cannot be read, TRACE_INVALID
 */
export async function readTraces(
  files: readonly string[],
  options: TraceFileOptions,
): Promise<readonly Trace[]> {
  const traces: Trace[] = [];
  for (const file of files) traces.push(await readTrace(file, options));
  return byPlatform(traces).map((group) => checkTrace(mergeTraces(group)));
}

/** Groups traces by platform. A trace with a less exact platform goes to every group of a more exact one. @throws TRACE_INVALID */
function byPlatform(traces: readonly Trace[]): readonly (readonly Trace[])[] {
  const nameless = traces.filter(({ platform }) => platform === null);
  const named = [...new Set(traces.flatMap(({ platform }) => platform ?? []))];
  const exact = named.filter(
    (each) => !named.some((other) => other.length > each.length && samePlatform(each, other)),
  );
  if (exact.length === 0) return [nameless];
  if (nameless.length > 0 && exact.length > 1)
    throw new OcislimError(
      'TRACE_INVALID',
      `the traces are of ${exact.join(' and ')}, and ${nameless[0]?.name ?? ''} does not say of which it is`,
    );
  return exact.map((platform) => [
    ...traces.filter((trace) => trace.platform !== null && samePlatform(trace.platform, platform)),
    ...nameless,
  ]);
}

/** Reads one trace as a stream; its format is detected from its contents. @throws USAGE, TRACE_INVALID */
async function readTrace(file: string, { roots, limits, signal }: TraceFileOptions): Promise<Trace> {
  const name = file === '-' ? 'stdin' : file;
  const reader = new TraceReader(name, { roots: roots.map(utf8Bytes), limits });
  const stream = file === '-' ? addAbortSignal(signal, process.stdin) : streamGiven(file, signal);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      signal.throwIfAborted();
      reader.write(chunk);
    }
  } catch (cause) {
    if (cause instanceof OcislimError || signal.aborted) throw signal.aborted ? signal.reason : cause;
    const why =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (cause as Error).message;
    throw new OcislimError('USAGE', `cannot read the trace ${JSON.stringify(file)}: ${why}`, { cause });
  }
  return reader.end();
}

/** Makes the setting of a trace: its data, which lines could not be read, and how many paths were outside of the roots. */
export function settingOf(trace: Trace): TraceSetting {
  const { name, lines, outside } = trace;
  const { count, samples } = trace.unreadable;
  const [first] = samples;
  return {
    data: toTraceData(trace),
    details: outside > 0 ? [`${name}: ${outside} uses of paths outside of --trace-root`] : [],
    warnings:
      first === undefined
        ? []
        : [
            `${name}: ${count} of ${lines} lines cannot be read, such as line ${first.line} of ${first.file}: ${quotePath(first.text)}`,
          ],
  };
}
