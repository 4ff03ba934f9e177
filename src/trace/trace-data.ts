import { asByteString } from '../bytes/bytes.ts';
import type { TraceData } from '../image/trace-pruning.ts';
import type { Trace } from './trace.ts';

/** Returns what a pruning must know of a trace, as plain data for a plan. */
export function toTraceData({ name, platform, image, knowsExecs, paths }: Trace): TraceData {
  return { name, platform, image, knowsExecs, paths: [...paths] };
}

/** Returns the trace of a plan. A plan does not hold what only people ask for: lines and system calls. */
export function fromTraceData({ name, platform, image, knowsExecs, paths }: TraceData): Trace {
  return {
    name,
    formats: [],
    platform,
    image,
    knowsExecs,
    paths: new Map(paths.map(([path, bits]) => [asByteString(path), bits])),
    syscalls: new Map(),
    hasAllSyscalls: false,
    command: null,
    outside: 0,
    lines: 0,
    unreadable: { count: 0, samples: [] },
  };
}
