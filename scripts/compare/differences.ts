/**
 * Compares what two checkouts have made of a case. compare-checkouts.ts prints the lines that come out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareJson } from './json-difference.ts';
import { explainLayers } from './layer-difference.ts';
import type { Fact, Observation } from './observation.ts';

/** Lines shown of one fact that differs. */
const most = 8;

interface Difference {
  readonly key: string;
  readonly lines: readonly string[];
  /** Whether it is in digests and numbers only, as all that follows from another layer. */
  readonly follows: boolean;
}

/**
 * Returns the differences between two observations of a case: for each fact its name and indented lines. Empty
 * where they agree. Where a layer differs, facts that may follow from that are only named.
 */
export async function differences(before: Observation, after: Observation): Promise<string[]> {
  const keys = [...new Set([...before.facts.keys(), ...after.facts.keys()])].sort();
  const found: Difference[] = [];
  for (const key of keys) {
    const [first, second] = [before.facts.get(key), after.facts.get(key)];
    const lines = await compare(key, before, after);
    if (lines.length === 0) continue;
    const isStatus = key.endsWith('status');
    if (isStatus) lines.push(...lastWords(after));
    found.push({ key, lines, follows: !isStatus && withoutNumbers(first) === withoutNumbers(second) });
  }
  const hasLayer = found.some(({ key }) => before.facts.get(key)?.kind === 'layer');
  const named = found.filter(({ follows }) => hasLayer && follows).map(({ key }) => key);
  const rest = named.length === 0 ? [] : [`in digests and numbers only: ${named.join('; ')}`];
  return [...found.filter(({ key }) => !named.includes(key)).flatMap(render), ...rest];
}

/** A fact as text, without its digests and numbers. Layers have nothing else, and are never the same. */
function withoutNumbers(fact: Fact | undefined): string {
  if (fact === undefined || fact.kind === 'layer') return JSON.stringify(fact) ?? '';
  return JSON.stringify(fact)
    .replace(/\b[0-9a-f]{64}\b/g, 'D')
    .replace(/\d+(?:[.,]\d+)*/g, 'N');
}

function render({ key, lines }: Difference): string[] {
  const rest = lines.length > most ? [`… and ${lines.length - most} more`] : [];
  return [key, ...[...lines.slice(0, most), ...rest].map((line) => `  ${line}`)];
}

async function compare(key: string, before: Observation, after: Observation): Promise<string[]> {
  const [first, second] = [before.facts.get(key), after.facts.get(key)];
  if (first === undefined) return ['is only there after'];
  if (second === undefined) return ['is only there before'];
  if (first.kind === 'json' && second.kind === 'json') return compareJson(first.value, second.value, '$');
  if (first.kind === 'lines' && second.kind === 'lines') return compareLines(first.lines, second.lines);
  if (first.kind !== 'layer' || second.kind !== 'layer') return [`was ${first.kind}, is ${second.kind}`];
  if (first.digest === second.digest && first.mediaType === second.mediaType) return [];
  const old = await readFile(join(before.folder, first.file));
  const made = await readFile(join(after.folder, second.file));
  return [
    `- ${first.digest} ${first.mediaType}`,
    `+ ${second.digest} ${second.mediaType}`,
    ...explainLayers(old, made),
  ];
}

/** Lines of one text and not of the other, each as often as it is missing. A mere change of order is one line. */
function compareLines(before: readonly string[], after: readonly string[]): string[] {
  if (before.join('\n') === after.join('\n')) return [];
  const lines = [
    ...without(before, after).map((line) => `- ${line}`),
    ...without(after, before).map((line) => `+ ${line}`),
  ];
  return lines.length > 0 ? lines : ['the same lines in another order'];
}

function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

/** The errors that a run has told, which may say why its status is another one. */
function lastWords({ stderr }: Observation): string[] {
  const errors = stderr.split('\n').filter((line) => line.startsWith('ocislim: '));
  return errors.slice(-3).map((line) => `after: ${line.slice(0, 200)}`);
}
