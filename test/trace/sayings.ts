import { wordsOf } from '../../src/trace/trace-file.ts';
import type { Trace } from '../../src/trace/trace.ts';

/** Returns what a trace says, in the words of spec-notes/strace-calls.md. */
export function sayingsOf({ paths, changes, isBlind }: Trace): string {
  const used = [...paths]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, bits]) => `${path}: ${wordsOf(bits).join(' ')}`)
    .filter((each) => each !== 'd: stat');
  const changed = changes.map((change) =>
    change.kind === 'symlink'
      ? `${change.path} leads to ${change.target}`
      : `${change.path} is ${change.from}`,
  );
  const all = [...used, ...changed, ...(isBlind ? ['opens may be missing'] : [])];
  return all.length === 0 ? 'nothing' : all.join('; ');
}
