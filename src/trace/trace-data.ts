import { asByteString } from '../bytes/bytes.ts';
import type { TraceData } from '../image/trace-pruning.ts';
import type { NameChange, Trace } from './trace.ts';

/** Returns what a pruning must know of a trace, as plain data for a plan. */
export function toTraceData(trace: Trace): TraceData {
  const { name, platform, image, knowsExecs, paths, changes, ends, gaps, isBlind } = trace;
  return { name, platform, image, knowsExecs, paths: [...paths], changes, ends, gaps, isBlind };
}

/** Returns the trace of a plan. A plan does not hold what only people ask for: lines and system calls. */
export function fromTraceData(data: TraceData): Trace {
  const { paths, changes, ...rest } = data;
  return {
    ...rest,
    formats: [],
    changes: changes.map(readChange),
    paths: new Map(paths.map(([path, bits]) => [asByteString(path), bits])),
    syscalls: new Map(),
    hasAllSyscalls: false,
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
