/** What --trace becomes: the contents of its files. What reads them is loaded only where there are some. */
import type { TraceData } from '../image/trace-pruning.ts';
import type { Door } from './option.ts';

/** What the traces of one platform say, as the setting --trace holds it: plain data. */
export interface TraceSetting {
  readonly data: TraceData;
  /** What to warn about before the data is used. */
  readonly warnings: readonly string[];
  /** What a person who asks for details is told. */
  readonly details: readonly string[];
}

/** Reads --trace: one setting for each platform that the traces name. @throws USAGE, TRACE_INVALID */
export async function readTraceFiles(
  files: readonly string[],
  _where: string,
  { listOf, limits, signal }: Door,
): Promise<readonly TraceSetting[]> {
  if (files.length === 0) return [];
  const { readTraces, settingOf } = await import('./trace-files.ts');
  const traces = await readTraces(files, { roots: listOf('trace-root'), limits, signal });
  const settings: TraceSetting[] = [];
  for (const trace of traces) settings.push(await settingOf(trace, signal));
  return settings;
}
