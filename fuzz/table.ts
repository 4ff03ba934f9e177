import type { Result } from './watchdog.ts';

/** Returns a table with a row for each target, and one for all. */
export function formatTable(results: readonly (readonly [name: string, result: Result])[]): string {
  const head = ['target', 'executions', 'per second', 'blocks', 'corpus', 'findings'];
  const rows = results.map(([name, { executions, seconds, blocks, inputs, findings }]) => [
    name,
    String(executions),
    String(Math.round(executions / seconds)),
    String(blocks),
    String(inputs),
    String(findings.length),
  ]);
  const sum = (of: (result: Result) => number) =>
    String(results.reduce((sum, [, result]) => sum + of(result), 0));
  const all = ['all', sum((each) => each.executions), '', '', '', sum((each) => each.findings.length)];
  const table = [head, ...rows, all];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
