/** Reads the files of traces that options name, and merges those of one platform. Callers: --trace and the command `trace`. */
import { stat } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { OcislimError } from '../errors.ts';
import { utf8Bytes } from '../bytes/bytes.ts';
import { quotePath } from '../bytes/path.ts';
import { streamGiven } from '../files/given-file.ts';
import { exceeded, type Limits } from '../limits.ts';
import { inTurns, type Steps } from '../steps.ts';
import { addPaths, checkTrace, mergeSteps, samePlatform } from '../trace/merge.ts';
import type { Trace, TracedPath, Uses } from '../trace/trace.ts';
import { traceDataSteps } from '../trace/trace-data.ts';
import { TraceReader } from '../trace/trace-reader.ts';
import type { TraceSetting } from './trace-setting.ts';

/** How to read traces. */
export interface TraceFileOptions {
  /** The folders of `--trace-root`, as given. */
  readonly roots: readonly string[];
  readonly limits: Pick<Limits, 'trace-bytes' | 'trace-paths' | 'trace-path-bytes'>;
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
  const { signal } = options;
  const gathered = new GatheredTraces(options.limits);
  for (const file of files) await inTurns(gathered.add(await readTrace(file, options)), signal);
  const merged: Trace[] = [];
  for (const group of byPlatform(gathered.traces()))
    merged.push(checkTrace(await inTurns(mergeSteps(group), signal)));
  return merged;
}

/**
 * The traces that were read so far, their paths united by platform: the processes of a program name the same paths again and again,
 * which must not fill the memory.
 */
class GatheredTraces {
  readonly #limits: TraceFileOptions['limits'];
  readonly #heads: Trace[] = [];
  readonly #paths = new Map<string | null, ReadonlyMap<TracedPath, Uses>>();
  /** The maps that were made here, which take more paths. */
  readonly #own = new Map<string | null, Map<TracedPath, Uses>>();

  constructor(limits: TraceFileOptions['limits']) {
    this.#limits = limits;
  }

  /** Adds a trace. @throws LIMIT */
  *add(trace: Trace): Steps<void> {
    const { platform } = trace;
    const known = this.#paths.get(platform);
    this.#heads.push({ ...trace, paths: none });
    if (known === undefined) return void this.#paths.set(platform, trace.paths);
    let own = this.#own.get(platform);
    if (own === undefined) {
      own = new Map();
      this.#own.set(platform, own);
      yield* addPaths(own, known);
      this.#paths.set(platform, own);
    }
    yield* addPaths(own, trace.paths);
    let count = 0;
    for (const { size } of this.#paths.values()) count += size;
    if (count > this.#limits['trace-paths'])
      throw exceeded('trace-paths', this.#limits, `the traces up to ${trace.name}`, {
        says: `they name ${count} paths`,
        atLeast: count,
      });
  }

  /** Returns all traces. The first one of each platform has the paths of all. */
  traces(): readonly Trace[] {
    const left = new Map(this.#paths);
    return this.#heads.map((head) => {
      const paths = left.get(head.platform) ?? none;
      left.delete(head.platform);
      return { ...head, paths };
    });
  }
}

const none: ReadonlyMap<TracedPath, Uses> = new Map();

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
  const size = file === '-' ? null : await sizeOf(file);
  const reader = new TraceReader(name, { roots: roots.map(utf8Bytes), limits, size });
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

/** Returns the bytes of a file; null for a pipe, and for what cannot be read: reading tells why. */
async function sizeOf(file: string): Promise<number | null> {
  const found = await stat(file).catch(() => null);
  return found?.isFile() === true ? found.size : null;
}

/** Makes the setting of a trace: its data, which lines could not be read, and how many paths were outside of the roots. */
export async function settingOf(trace: Trace, signal: AbortSignal): Promise<TraceSetting> {
  const { name, lines, outside } = trace;
  const { count, samples } = trace.unreadable;
  const [first] = samples;
  return {
    data: await inTurns(traceDataSteps(trace), signal),
    details: outside > 0 ? [`${name}: ${outside} uses of paths outside of --trace-root`] : [],
    warnings:
      first === undefined
        ? []
        : [
            `${name}: ${count} of ${lines} lines cannot be read, such as line ${first.line} of ${first.file}: ${quotePath(first.text)}`,
          ],
  };
}
