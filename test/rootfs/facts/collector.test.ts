import { expect, it } from 'vitest';
import { FactCollector } from '../../../src/rootfs/facts/collector.ts';
import { b, p } from '../../support/bytes.ts';
import { bytesOf } from '../../support/model/byte-string.ts';

/** Collects the facts of one file that no probe wants, in pieces of a size. */
function factsOf(path: string, text: string, piece: number) {
  const collector = new FactCollector(() => 0);
  const bytes = bytesOf(text);
  const sink = collector.open(0, p(path), bytes.length);
  for (let at = 0, isWanted = true; isWanted && at < bytes.length; at += piece)
    isWanted = sink?.write(bytes.subarray(at, at + piece)) === true;
  sink?.end();
  return collector.facts();
}

it.each([1, 3, 300, 1e6])(
  'keeps short scripts of shells, and no others, read in pieces of %d bytes',
  (piece) => {
    const long = `#!/bin/bash -e\n${'x'.repeat(500)}\n`;
    expect(factsOf('run', long, piece).contents.get(0)).toEqual(bytesOf(long));
    expect(factsOf('run', '#!/usr/bin/env sh\n', piece).contents.size).toBe(1);
    for (const other of ['#!/usr/bin/python3\n', 'echo\n', `#!/bin/sh\n${'x'.repeat(70_000)}`])
      expect(factsOf('run', other, piece).contents.size).toBe(0);
  },
);

it('finds what a source names, also where a rule wants its contents', () => {
  const collector = new FactCollector(() => 1e6);
  const bytes = bytesOf('import os\n');
  const sink = collector.open(0, p('etc/a.py'), bytes.length);
  sink?.write(bytes);
  sink?.end();
  expect(collector.facts().modules.get(0)).toEqual({
    language: 'python',
    named: [{ name: 'os', isAtTop: true }],
  });
});

it('reads scripts of languages by their first line', () => {
  const facts = factsOf('run', '#!/usr/bin/env python3\nimport os\n', 7);
  expect(facts.modules.get(0)?.named).toEqual([{ name: 'os', isAtTop: true }]);
});

it.each([1, 3, 300])('finds what a source names, read in pieces of %d bytes', (piece) => {
  const facts = factsOf('a.py', '#!/usr/bin/python3\nCDLL("libz.so.1")\n', piece);
  expect(facts.mentions.get(0)).toEqual([b('libz.so.1')]);
  expect(facts.scripts.get(0)).toBe('/usr/bin/python3');
});
