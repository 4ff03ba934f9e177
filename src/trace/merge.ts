/**
 * Merges traces of one image: those of several runs, or of several processes (strace -ff). The command line calls it for the
 * files of `--trace`.
 */
import { OcislimError } from '../errors.ts';
import { matchesPlatform, type Platform } from '../oci/platform.ts';
import { atOnce, itemsPerStep, type Steps } from '../steps.ts';
import { firstLost } from './lost-paths.ts';
import { uniteRights } from './rights.ts';
import {
  addUses,
  type NameChange,
  type NotInImage,
  type Trace,
  type TracedPath,
  type Uses,
} from './trace.ts';

/** The most unreadable lines that are kept to be shown. */
const sampleLimit = 5;

/**
 * Returns what several traces saw, as one. The command is that of the first trace which names one. System calls are complete
 * only if they are complete in each trace that is not empty.
 *
 * @throws TRACE_INVALID for traces of different platforms or images
 */
export function mergeTraces(traces: readonly Trace[]): Trace {
  return atOnce(mergeSteps(traces));
}

/** Merges traces in steps. @throws what `mergeTraces` throws */
export function* mergeSteps(traces: readonly Trace[]): Steps<Trace> {
  const [only] = traces;
  if (only !== undefined && traces.length === 1) return only;
  const [full, ...others] = traces.filter(({ paths }) => paths.size > 0);
  const paths = others.length === 0 && full !== undefined ? full.paths : yield* unitedPaths(traces);
  const syscalls = new Map<string, number>();
  for (const trace of traces) {
    for (const [name, count] of trace.syscalls) syscalls.set(name, (syscalls.get(name) ?? 0) + count);
  }
  const read = traces.filter(({ lines }) => lines > 0);
  return {
    name: nameOf(traces.map(({ name }) => name)),
    formats: [...new Set(traces.flatMap(({ formats }) => formats))].sort(),
    platform: common(traces, 'platform', ({ platform }) => platform, samePlatform),
    image: common(
      traces,
      'image',
      ({ image }) => image,
      (one, other) => one === other,
    ),
    paths,
    changes: distinct(traces.flatMap(({ changes }) => changes)),
    ends: traces.flatMap(({ ends }) => ends),
    notInImage: unitedLosses(traces),
    gaps: [...new Set(traces.flatMap(({ gaps }) => gaps))],
    isBlind: traces.some(({ isBlind }) => isBlind),
    knowsExecs: traces.some(({ knowsExecs }) => knowsExecs),
    syscalls,
    hasAllSyscalls: read.length > 0 && read.every(({ hasAllSyscalls }) => hasAllSyscalls),
    rights: uniteRights(traces),
    command: traces.find(({ command }) => command !== null)?.command ?? null,
    outside: total(traces, ({ outside }) => outside),
    lines: total(traces, ({ lines }) => lines),
    unreadable: {
      count: total(traces, ({ unreadable }) => unreadable.count),
      samples: traces.flatMap(({ unreadable }) => unreadable.samples).slice(0, sampleLimit),
    },
  };
}

function distinct(changes: readonly NameChange[]): readonly NameChange[] {
  return [...new Map(changes.map((change) => [JSON.stringify(change), change])).values()];
}

/** Sums up what the recordings opened that the image does not have; null where none of them compared. */
function unitedLosses(traces: readonly Trace[]): NotInImage | null {
  const found = traces.flatMap(({ notInImage }) => notInImage ?? []);
  if (found.length === 0) return null;
  const first = new Set(found.flatMap((each) => each.first));
  return {
    count: found.reduce((sum, { count }) => sum + count, 0),
    first: [...first].sort().slice(0, firstLost),
  };
}

function* unitedPaths(traces: readonly Trace[]): Steps<ReadonlyMap<TracedPath, Uses>> {
  const paths = new Map<TracedPath, Uses>();
  for (const trace of traces) yield* addPaths(paths, trace.paths);
  return paths;
}

/** Adds paths with their uses to others. */
export function* addPaths(paths: Map<TracedPath, Uses>, more: Trace['paths']): Steps<void> {
  let seen = 0;
  for (const [path, uses] of more) {
    addUses(paths, path, uses);
    if (++seen % itemsPerStep === 0) yield;
  }
}

/** Returns the trace. @throws TRACE_INVALID for a trace without any path */
export function checkTrace(trace: Trace): Trace {
  if (trace.paths.size > 0) return trace;
  const { name, lines, outside } = trace;
  if (lines === 0) throw new OcislimError('TRACE_INVALID', `the trace ${name} is empty`);
  throw new OcislimError(
    'TRACE_INVALID',
    outside > 0
      ? `the trace ${name} names no path below --trace-root, but ${outside} uses of paths outside of it`
      : `the trace ${name} names no path that was used successfully`,
    { advice: 'See docs/traces.md for how to record one.' },
  );
}

function nameOf(names: readonly string[]): string {
  if (names.length > 3) return `${names[0]} and ${names.length - 1} more`;
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Returns the value that all traces which tell it agree on: of several, the most exact (the longest). */
function common<T extends string>(
  traces: readonly Trace[],
  what: string,
  of: (trace: Trace) => T | null,
  agree: (one: T, other: T) => boolean,
): T | null {
  let found: { readonly trace: Trace; readonly value: T } | null = null;
  for (const trace of traces) {
    const value = of(trace);
    if (value === null) continue;
    if (found !== null && !agree(found.value, value))
      throw new OcislimError(
        'TRACE_INVALID',
        `the traces have different ${what}s: ${found.trace.name} is of ${found.value}, ${trace.name} of ${value}`,
      );
    if (found === null || value.length > found.value.length) found = { trace, value };
  }
  return found?.value ?? null;
}

/** Returns whether two platforms agree: arm64 and arm64/v8 are the same, and arm, which leaves the variant open, agrees with arm/v7. */
export function samePlatform(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [one, other].map((text) => {
    const [os = '', architecture = '', variant] = text.split('/');
    return { os, architecture, ...(variant === undefined ? {} : { variant }) };
  }) as [Platform, Platform];
  return matchesPlatform(a, b) || matchesPlatform(b, a);
}

function total(traces: readonly Trace[], of: (trace: Trace) => number): number {
  return traces.reduce((sum, trace) => sum + of(trace), 0);
}
