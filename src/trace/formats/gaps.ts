/**
 * What tools cannot show of a program, as rests of sentences that begin with the name of the trace. The trace reader asks at the end of
 * each trace.
 */
import { type Trace, type Uses, uses } from '../trace.ts';

/** What a format never shows, by its name. */
const never: ReadonlyMap<string, readonly string[]> = new Map([
  ['fatrace', ['stat', 'links', 'listings', 'failed calls']],
  ['stargz', ['stat', 'links', 'listings', 'failed calls']],
  ['nydus', ['stat', 'links', 'listings', 'failed calls']],
  ['opensnoop', ['stat', 'executions', 'listings', 'failed calls', 'io_uring']],
  ['inotifywait', ['stat', 'executions', 'mapped files', 'failed calls']],
  ['auditd', ['names relative to a descriptor', 'where new links lead']],
  ['sysdig', ['fstatat, statx and readlink']],
  ['falco', ['relative names']],
  ['tracee', ['names relative to a descriptor']],
]);

/** Formats that show what a person chose, by rules or filters: what is absent was not asked for, or not done. */
const chosen: ReadonlySet<string> = new Set(['auditd', 'sysdig', 'falco', 'tracee', 'creport']);

/** Uses in words, where a trace has none of the kind. */
const kinds: readonly (readonly [bits: Uses, word: string])[] = [
  [uses.exec, 'executions'],
  [uses.stat, 'stat'],
  [uses.link, 'links'],
  [uses.list, 'listings'],
  [uses.fail | uses.failLink, 'failed calls'],
];

/** Returns what a trace of these formats does not show, a sentence for each that has gaps. */
export function gapsOf(
  formats: readonly string[],
  { paths, isBlind }: Pick<Trace, 'paths' | 'isBlind'>,
): string[] {
  let seen: Uses = 0;
  for (const bits of paths.values()) seen |= bits;
  return formats.flatMap((format) => {
    const isChosen = chosen.has(format);
    const absent = isChosen ? kinds.filter(([bits]) => (seen & bits) === 0).map(([, word]) => word) : [];
    // Whether a program made rings is an event of its own, which filters may leave out.
    const rings = isChosen && format !== 'sysdig' && !isBlind ? ['io_uring'] : [];
    const all = [...absent, ...rings, ...(never.get(format) ?? [])];
    return all.length === 0 ? [] : [`does not show ${listed(all)} (${format})`];
  });
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
