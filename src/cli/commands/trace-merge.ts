/** The action `merge` of `trace`: many traces in, one small and sorted trace file out. */
import { once } from 'node:events';
import type { TraceCall } from './trace-call.ts';
import { readNamedTrace } from './trace-input.ts';

/** Runs `trace merge FILE…`: writes traces of any form as one trace file. @throws USAGE, TRACE_INVALID, IO */
export async function mergeFiles(call: TraceCall): Promise<number> {
  const { streamTrace } = await import('../../trace/trace-file.ts');
  const { renderReading } = await import('../../report/trace-text.ts');
  const { safeJsonText } = await import('../../report/escape.ts');
  const trace = await readNamedTrace(call);
  const { settings, console } = call;
  const file = settings.output;
  if (file === null || file === '-')
    for await (const piece of streamTrace(trace, console.signal)) {
      if (console.stdout.write(safeJsonText(piece)) !== false) continue;
      await once(process.stdout, 'drain', { signal: console.signal });
    }
  else {
    const { writeWhole } = await import('../../files/whole-file.ts');
    const { fileError } = await import('../../files/file-error.ts');
    const encoded = async function* () {
      for await (const piece of streamTrace(trace, console.signal)) yield Buffer.from(safeJsonText(piece));
    };
    await writeWhole(file, encoded(), console.signal).catch((error: unknown) => {
      throw console.signal.aborted ? console.signal.reason : fileError(`write ${file}`, error);
    });
  }
  if (!settings.quiet) console.stderr.write(renderReading(trace));
  return 0;
}
