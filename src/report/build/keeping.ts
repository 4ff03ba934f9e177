import type { CheckedClosure } from '../../closure/close-image.ts';
import { leftOutOf } from '../../closure/left-out.ts';
import { pathFields } from '../escape.ts';
import type { KeepingReport } from '../report.ts';
import { heaviestFirst } from './numbers.ts';

/** Reports what a pruning by trace kept, each path with its reason. */
export function reportKeeping({ pruning, input, closure, problems }: CheckedClosure): KeepingReport {
  const { fs } = input;
  const byRule = new Map<string, { rule: string; paths: number; bytes: number }>();
  const counted = new Set<number>();
  const kept: KeepingReport['kept'][number][] = [];
  for (const path of closure.paths()) {
    const why = closure.why(path);
    if (path === '' || why === null) continue;
    const { rule, detail, because, strength } = why;
    kept.push({
      ...pathFields(path),
      rule,
      detail: pathFields(detail).path,
      because: because === null ? null : pathFields(because).path,
      strength,
    });
    const row = byRule.get(rule) ?? { rule, paths: 0, bytes: 0 };
    row.paths++;
    // A file of several names counts its bytes once.
    const carrier = fs.carrier(path);
    if (carrier?.kind === 'file' && !counted.has(carrier.id)) {
      counted.add(carrier.id);
      row.bytes += fs.size(path);
    }
    byRule.set(rule, row);
  }
  return {
    trace: pruning.trace.name,
    granularity: pruning.granularity,
    tracedPaths: closure.traced.total,
    foundPaths: closure.traced.found,
    forced: problems.map(({ sentence }) => sentence),
    leftOut: leftOutOf(input, closure).map(({ path, entries, bytes }) => ({
      ...pathFields(path),
      entries,
      bytes,
    })),
    byRule: heaviestFirst(byRule.values()),
    kept,
  };
}
