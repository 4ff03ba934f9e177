import type { SlimmingReport } from './report.ts';
import { formatNumberOf } from './figures.ts';

/** Says what was taken over from the previous version. */
export function noiseText({ entries, compiled }: NonNullable<SlimmingReport['noise']>): string {
  if (entries === 0) return 'no entry differs from the previous version in its time alone';
  const modules = compiled === 0 ? '' : `, with ${formatNumberOf(compiled, 'compiled module')} of Python`;
  return `${formatNumberOf(entries, 'entry', 'entries')} with the time of the previous version${modules}`;
}
