import { asByteString, type ByteString } from '../bytes/bytes.ts';
import type { TraceData } from '../image/trace-pruning.ts';
import { atOnce, itemsPerStep, type Steps } from '../steps.ts';
import { noRights } from './rights.ts';
import type { NameChange, Trace, Uses } from './trace.ts';

/** Returns what a pruning must know of a trace, as plain data for a plan. */
export function toTraceData(trace: Trace): TraceData {
  return atOnce(traceDataSteps(trace));
}

/** Makes the data of a trace in steps. */
export function* traceDataSteps(trace: Trace): Steps<TraceData> {
  const { name, platform, image, knowsExecs, changes, ends, gaps, isBlind } = trace;
  const paths: [ByteString, Uses][] = [];
  for (const each of trace.paths) {
    paths.push(each);
    if (paths.length % itemsPerStep === 0) yield;
  }
  return { name, platform, image, knowsExecs, paths, changes, ends, gaps, isBlind };
}

/** Returns the trace of a plan. A plan does not hold what only people ask for: lines, system calls and rights. */
export function* fromTraceDataSteps(data: TraceData): Steps<Trace> {
  const { paths: list, changes, ...rest } = data;
  const paths = new Map<ByteString, Uses>();
  let seen = 0;
  for (const [path, bits] of list) {
    paths.set(asByteString(path), bits);
    if (++seen % itemsPerStep === 0) yield;
  }
  return {
    ...rest,
    formats: [],
    notInImage: null,
    changes: changes.map(readChange),
    paths,
    syscalls: new Map(),
    hasAllSyscalls: false,
    rights: noRights,
    command: null,
    outside: 0,
    lines: 0,
    unreadable: { count: 0, samples: [] },
  };
}

function readChange(change: TraceData['changes'][number]): NameChange {
  const path = asByteString(change.path);
  return change.kind === 'symlink'
    ? { kind: 'symlink', path, target: asByteString(change.target) }
    : { kind: 'moved', path, from: asByteString(change.from) };
}
