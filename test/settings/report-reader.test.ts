/** Reports are read as their text comes: whatever the pieces, the same is read, and only what a report announces is held. */
import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../../src/limits.ts';
import { readReports } from '../../src/settings/announced.ts';
import { longestPiece, NotJson } from '../../src/settings/json-pieces.ts';
import { NotReport, ReportReader } from '../../src/settings/report-reader.ts';
import { openScene } from '../support/scene.ts';

const removed = [
  { path: 'a"\\', type: 'file', rule: 'x/**', digest: 'sha256:0', layer: 1, bytes: 512 },
  { path: '\u00fc\n]}', pathBase64: '/A==', type: 'whiteout', rule: 'shadowed', more: [{ a: '}' }] },
];
const contents = { size: 3, digest: 'sha256:1' };
const report = {
  $id: 'x',
  reportVersion: 1,
  odd: ['"', '\\', { '}': '{[' }, -1.5e3, true, null, [], {}],
  platforms: [
    {
      keeping: { kept: [{ path: 'not this' }] },
      slimming: {
        removed,
        byRule: [],
        linked: { files: 1, links: [{ path: 'p', to: 'q', toBase64: 'cQ==' }] },
        cleared: [{ path: 's', oldMode: '4755', newMode: '0755' }],
        edited: [{ path: 'e', layer: 1, before: contents, after: { ...contents, more: 1 }, packages: ['x'] }],
      },
    },
    { slimming: null },
    { slimming: { removed: null, linked: null, cleared: [] } },
    {},
  ],
  last: 12,
};

const announced = [
  {
    slimming: {
      removed: [
        { path: 'a"\\', type: 'file', rule: 'x/**' },
        { path: '\u00fc\n]}', pathBase64: '/A==', type: 'whiteout', rule: 'shadowed' },
      ],
      linked: { links: [{ path: 'p', to: 'q', toBase64: 'cQ==' }] },
      cleared: [{ path: 's', oldMode: '4755', newMode: '0755' }],
      edited: [{ path: 'e', before: contents, after: contents }],
    },
  },
  {},
  { slimming: { cleared: [] } },
  {},
];

function read(text: string, size = text.length) {
  const reader = new ReportReader();
  for (let at = 0; at < text.length; at += size) reader.write(text.slice(at, at + size));
  return reader.end();
}

describe.each([0, 2])('a report, with an indentation of %i,', (indent) => {
  const text = JSON.stringify(report, null, indent);

  test.each([1, 2, 3, 7, 64, 100_000])('is read in pieces of %i', (size) => {
    expect(read(text, size)).toEqual(announced);
  });

  test('that ends anywhere before its end is not JSON', () => {
    for (let end = 0; end < text.length; end++)
      expect(() => read(text.slice(0, end), 16), text.slice(0, end)).toThrow(NotJson);
    expect(read(`${text}\n \n`)).toEqual(announced);
  });
});

test.each([
  '[]',
  'null',
  '"x"',
  '{}',
  '{"reportVersion":1}',
  '{"reportVersion":"1","platforms":[]}',
  '{"reportVersion":1,"platforms":{}}',
  '{"reportVersion":1,"platforms":[[]]}',
  '{"reportVersion":1,"platforms":[{"slimming":{"removed":{}}}]}',
  '{"reportVersion":1,"platforms":[{"slimming":{"removed":[null]}}]}',
  '{"reportVersion":1,"platforms":[{"slimming":{"edited":[{"path":"a","before":null,"after":{}}]}}]}',
  '{"reportVersion":1,"platforms":[{"slimming":{"edited":[{"path":"a","before":{"size":-0.5,"digest":"x"}}]}}]}',
  '{"reportVersion":1,"platforms":[{"slimming":{"removed":[{"path":"a","type":"file"}]}}]}',
  '{"reportVersion":1,"platforms":[{"slimming":{"removed":[{"path":1,"type":"file","rule":"r"}]}}]}',
  '{"reportVersion":1,"platforms":[{"slimming":{"linked":{"links":[{"path":"a"}]}}}]}',
])('%s is JSON, but not a report', (text) => {
  expect(() => read(text)).toThrow(NotReport);
});

test.each(['', ' ', 'x', '{', '{"a" 1}', '{"a":}', '{"a":1,}', '{"a":1}}', '{"a":1} x', '{a:1}', '[1'])(
  '%j is not JSON',
  (text) => {
    for (const size of [1, 100]) expect(() => read(text, size)).toThrow(NotJson);
  },
);

test('of members with one name the last one counts, as for JSON.parse', () => {
  const one = (path: string) => `"removed":[{"path":"${path}","type":"file","rule":"r"}]`;
  const text = `{"reportVersion":2,"platforms":[{}],"reportVersion":1,"platforms":[{"slimming":{${one('a')},${one('b')}}}]}`;
  expect(read(text)).toEqual([{ slimming: { removed: [{ path: 'b', type: 'file', rule: 'r' }] } }]);
});

test('what is passed over may be of any length, and an element may not', () => {
  const long = 'x'.repeat(longestPiece + 1);
  const rest = '"reportVersion":1,"platforms":[{"slimming":{"removed":[';
  expect(read(`{"keeping":"${long}",${rest}]}}]}`, 65_536)).toEqual([{ slimming: { removed: [] } }]);
  const element = `{"path":"${long}","type":"file","rule":"r"}`;
  expect(() => read(`{${rest}${element}]}}]}`, 65_536)).toThrow(NotJson);
});

describe('a file', () => {
  const scene = openScene();
  const file = async () => {
    await writeFile(scene.path('report.json'), JSON.stringify(report));
    return scene.path('report.json');
  };

  test('is named beside what it announces', async () => {
    const path = await file();
    const signal = new AbortController().signal;
    const platforms = await readReports([path, path], '', { limits: defaultLimits, signal });
    const expected = announced.map((platform) => ({ ...platform, file: path }));
    expect(platforms).toEqual([...expected, ...expected]);
  });

  test('is left where a signal comes while it is read', async () => {
    const path = await file();
    const stop = new AbortController();
    const reading = readReports([path], '', { limits: defaultLimits, signal: stop.signal });
    stop.abort(new Error('stopped'));
    await expect(reading).rejects.toThrow('stopped');
  });
});
