import type { Console } from '../command.ts';
import { flag, text, type Values } from '../options/option.ts';
import { readNamedTrace } from './trace-input.ts';

/** `trace merge FILE…`: traces of any form as one trace file. @throws USAGE, TRACE_INVALID, IO */
export async function mergeFiles(values: Values, console: Console): Promise<number> {
  const { writeTrace } = await import('../../trace/trace-file.ts');
  const { renderReading } = await import('../../report/trace-text.ts');
  const { safeJsonText } = await import('../../report/escape.ts');
  const trace = await readNamedTrace(values, console);
  const lines = safeJsonText([...writeTrace(trace)].join(''));
  const file = text(values, 'output');
  if (file === null || file === '-') console.stdout.write(lines);
  else {
    const { writeWhole } = await import('../../files/whole-file.ts');
    const { fileError } = await import('../../files/file-error.ts');
    await writeWhole(file, [Buffer.from(lines)], console.signal).catch((error: unknown) => {
      throw console.signal.aborted ? console.signal.reason : fileError(`write ${file}`, error);
    });
  }
  if (!flag(values, 'quiet')) console.stderr.write(renderReading(trace));
  return 0;
}
