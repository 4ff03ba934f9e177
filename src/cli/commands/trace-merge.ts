/** The action `merge` of `trace`: many traces in, one small and sorted trace file out. */
import type { TraceCall } from './trace-call.ts';
import { readNamedTrace } from './trace-input.ts';

/** Runs `trace merge FILE…`: writes traces of any form as one trace file. @throws USAGE, TRACE_INVALID, IO */
export async function mergeFiles(call: TraceCall): Promise<number> {
  const { writeTrace } = await import('../../trace/trace-file.ts');
  const { renderReading } = await import('../../report/trace-text.ts');
  const { safeJsonText } = await import('../../report/escape.ts');
  const trace = await readNamedTrace(call);
  const lines = safeJsonText([...writeTrace(trace)].join(''));
  const { settings, console } = call;
  const file = settings.output;
  if (file === null || file === '-') console.stdout.write(lines);
  else {
    const { writeWhole } = await import('../../files/whole-file.ts');
    const { fileError } = await import('../../files/file-error.ts');
    await writeWhole(file, [Buffer.from(lines)], console.signal).catch((error: unknown) => {
      throw console.signal.aborted ? console.signal.reason : fileError(`write ${file}`, error);
    });
  }
  if (!settings.quiet) console.stderr.write(renderReading(trace));
  return 0;
}
