/** What tools cannot show of a program, by the name of their format: the rest of a sentence that begins with the name of the trace. */
export const gaps: ReadonlyMap<string, string> = new Map([
  ['fatrace', 'does not show stat, links and listings (fatrace)'],
  ['stargz', 'does not show stat, links and listings (stargz)'],
  ['nydus', 'does not show stat, links and listings (nydus)'],
  ['opensnoop', 'does not show stat, executions and listings (opensnoop)'],
  ['inotifywait', 'does not show stat, executions and mapped files (inotifywait)'],
]);
