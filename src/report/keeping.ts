import { ascii, type ByteString } from '../bytes/bytes.ts';
import type { CheckedClosure } from '../closure/close-image.ts';
import { explain } from '../closure/explain.ts';
import { displayPath, escapeText, pathFields } from './escape.ts';
import type { KeepingReport } from './report.ts';

/** What a pruning by trace kept, each path with its reason. */
export function describeKeeping({ pruning, input, closure, problems }: CheckedClosure): KeepingReport {
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
    // Of the names of one file, the first counts its bytes.
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
    byRule: [...byRule.values()].sort((a, b) => b.bytes - a.bytes || (a.rule < b.rule ? -1 : 1)),
    kept,
  };
}

/** Why a path stays, or that it goes, in lines for a person. `path` as somebody typed it. */
export function explainPath(
  { input, closure, pruning }: CheckedClosure,
  path: ByteString,
): readonly string[] {
  const { fs } = input;
  const itself = fs.resolve(ascii`/${path}`, { follow: false });
  const shown = displayPath(path);
  if (itself.path === null) return [`${shown}: not in the image`];
  const lines = explain(closure, itself.path);
  // What the config says is text, and no bytes.
  if (lines.length > 0) return lines.map((line) => escapeText(displayPath(line)));
  return [
    `${shown}: goes, since neither ${escapeText(pruning.trace.name)} nor anything that it saw needs it`,
  ];
}
