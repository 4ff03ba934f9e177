import { expect, test } from 'vitest';
import type { HistoryLine } from '../../../src/jobs/look/history.ts';
import { renderHistory } from '../../../src/report/look/history-text.ts';

const line: HistoryLine = {
  layer: 1,
  digest: null,
  created: null,
  createdBy: null,
  transferBytes: 0,
  comment: null,
};
const now = Date.parse('2026-01-01T00:00:00Z');

/** Returns the words for an age in seconds. */
function wordsFor(seconds: number): string {
  const created = new Date(now - seconds * 1000).toISOString();
  const text = renderHistory([{ ...line, created }], { width: null, human: true, now });
  return /1 {2}(.* ago)/.exec(text)?.[1] ?? text;
}

// Those of go-units, which docker prints.
test.each([
  [0.5, 'Less than a second ago'],
  [1, '1 second ago'],
  [59, '59 seconds ago'],
  [61, 'About a minute ago'],
  [120, '2 minutes ago'],
  [59 * 60, '59 minutes ago'],
  [3600, 'About an hour ago'],
  [2 * 3600, '2 hours ago'],
  [47 * 3600, '47 hours ago'],
  [48 * 3600, '2 days ago'],
  [13 * 86400, '13 days ago'],
  [14 * 86400, '2 weeks ago'],
  [59 * 86400, '8 weeks ago'],
  [60 * 86400, '2 months ago'],
  [729 * 86400, '24 months ago'],
  [730 * 86400, '2 years ago'],
  [-5, 'Less than a second ago'],
])('an age of %d seconds is told as docker does: %s', (seconds, words) => {
  expect(wordsFor(seconds)).toBe(words);
});

test('a text that states no time is shown escaped', () => {
  const text = renderHistory([{ ...line, created: 'yester\u001bday' }], { width: null, human: true, now });
  expect(text).toContain('yester\\x1bday');
});

test('a long instruction is one line, and as wide as is asked for', () => {
  const createdBy = `RUN a \\\n\t\t && ${'b'.repeat(100)}`;
  const shown = (width: number | null) =>
    renderHistory([{ ...line, createdBy }], { width, human: true, now });
  expect(shown(20)).toContain('  RUN a \\ && bbbbbbbb…  ');
  expect(shown(null)).toContain('b'.repeat(100));
  expect(shown(null).trim().split('\n')).toHaveLength(2);
});

test('a row of a builder is shown as the instruction of the Dockerfile, or whole', () => {
  const createdBy = '|1 A=b /bin/sh -c make # buildkit';
  const shown = (width: number | null) =>
    renderHistory([{ ...line, createdBy }], { width, human: true, now });
  expect(shown(40)).toMatch(/  RUN make  /);
  expect(shown(null)).toContain(createdBy);
});
