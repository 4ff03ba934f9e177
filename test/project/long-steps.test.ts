/** What users' files may hold millions of is worked on in steps, so that signals are heard in between. */
import { expect, test } from 'vitest';
import { ascii } from '../../src/bytes/bytes.ts';
import { announcedSteps } from '../../src/commands/announcement.ts';
import { defaultLimits } from '../../src/limits.ts';
import { countSteps, keepMatcherSteps, matcherSteps, parseRules, ruleSteps } from '../../src/rules/rules.ts';
import { atOnce, itemsPerStep, sortSteps, type Steps } from '../../src/steps.ts';
import { addPaths, mergeSteps } from '../../src/trace/merge.ts';
import { placeSteps } from '../../src/trace/place.ts';
import { fromTraceDataSteps, toTraceData, traceDataSteps } from '../../src/trace/trace-data.ts';
import { TraceReader } from '../../src/trace/trace-reader.ts';
import { summarySteps } from '../../src/trace/trace-summary.ts';

const items = 5 * itemsPerStep + 1;
const lines = Array.from({ length: items }, (_, i) => `d${i % 1000}/f${(i * 7919) % items}`);
const text = `${lines.join('\n')}\n`;
const rules = parseRules(text, 'x');

function traceOf(list: string) {
  const reader = new TraceReader('x.list');
  reader.write(Buffer.from(list));
  return reader.end();
}
const trace = traceOf(text);
const other = traceOf(text.replaceAll('f', 'g'));

function pausesOf(steps: Steps<unknown>): number {
  let pauses = 0;
  while (steps.next().done !== true) pauses++;
  return pauses;
}

test.each<readonly [what: string, start: () => Steps<unknown>]>([
  ['rules are counted', () => countSteps(text)],
  ['rules are parsed', () => ruleSteps(text, 'x')],
  ['rules are compiled', () => matcherSteps(rules)],
  ['rules with wildcards are compiled', () => matcherSteps(parseRules(text.replaceAll('/', '*/'), 'x'))],
  ['globs to keep are compiled', () => keepMatcherSteps(lines)],
  ['paths are sorted', () => sortSteps(lines)],
  ['paths are united', () => addPaths(new Map(), trace.paths)],
  ['traces are merged', () => mergeSteps([trace, other])],
  ['traces become data', () => traceDataSteps(trace)],
  ['data becomes a trace', () => fromTraceDataSteps(toTraceData(trace))],
  ['paths of a trace are placed', () => placeSteps(trace, ascii`app`)],
  ['a trace is summed up', () => summarySteps(trace)],
  [
    'what reports announce is collected',
    () =>
      announcedSteps(
        [],
        [{ slimming: { removed: lines.map((path) => ({ path, type: 'file', rule: 'x' })) } }],
      ),
  ],
])('%s with pauses', (_, start) => {
  expect(pausesOf(start())).toBeGreaterThanOrEqual(5);
});

test('texts are sorted in steps as at once', () => {
  for (const list of [
    [],
    ['a'],
    lines,
    lines.toSorted(),
    lines.toSorted().toReversed(),
    [...lines, ...lines],
  ])
    expect(atOnce(sortSteps(list))).toEqual(list.toSorted());
});

test('the paths of a trace have a limit in bytes, beside that of their number', () => {
  const reader = new TraceReader('x.list', { limits: { ...defaultLimits, 'trace-path-bytes': 1000 } });
  reader.write(Buffer.from('/usr/bin/env\n'.repeat(10_000)));
  expect(() => {
    reader.write(Buffer.from(text));
    reader.end();
  }).toThrow(/x\.list: its paths have more than 1000 bytes, and the limit trace-path-bytes is 1000 bytes/);
});
