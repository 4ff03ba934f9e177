import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeTraces } from '../../src/trace/merge.ts';
import { placeTrace } from '../../src/trace/place.ts';
import { bothUses, type Trace, type Uses, uses } from '../../src/trace/trace.ts';
import { writeTrace } from '../../src/trace/trace-file.ts';
import { readTrace, usesOf } from './read-trace.ts';
import { b } from '../support/bytes.ts';

const empties = 'openat(AT_FDCWD, "/a", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3';
const reads = 'openat(AT_FDCWD, "/a", O_RDONLY) = 3';
const removes = 'unlink("/a") = 0';

function isReplaced(trace: Trace, path = 'a'): boolean {
  return ((trace.paths.get(b(path)) ?? 0) & uses.replaced) !== 0;
}

describe('a file is replaced, or not,', () => {
  it.each<[string, readonly string[], boolean]>([
    ['that is emptied', [empties], true],
    ['that is emptied again and again', [empties, empties], true],
    ['that is emptied, then removed', [empties, removes], true],
    [
      'whose descriptor is used',
      [empties, 'newfstatat(3, "", {st_mode=S_IFREG|0644}, AT_EMPTY_PATH) = 0'],
      true,
    ],
    [
      'that was not there, where it counts as missing',
      ['stat("/a", 0x1) = -1 ENOENT (No such file or directory)', empties],
      true,
    ],
    ['where it is read first', [reads, empties], false],
    ['where it is removed first', [removes, empties], false],
    ['where it is examined first', ['stat("/a", {}) = 0', empties], false],
    ['where it is written to first', ['openat(AT_FDCWD, "/a", O_WRONLY|O_APPEND) = 3', empties], false],
    [
      'where a call failed for it first',
      ['openat(AT_FDCWD, "/a", O_RDONLY) = -1 EACCES (Permission denied)', empties],
      false,
    ],
    ['where it is read afterwards', [empties, reads], false],
    ['where it is executed afterwards', [empties, 'execve("/a", ["a"], []) = 0'], false],
    ['where it is examined afterwards', [empties, 'lstat("/a", {}) = 0'], false],
    ['where it is written to afterwards', [empties, 'openat(AT_FDCWD, "/a", O_WRONLY|O_APPEND) = 3'], false],
    ['where its owner changes', [empties, 'chown("/a", 1, 1) = 0'], false],
    [
      'where a call fails for it',
      [empties, 'openat(AT_FDCWD, "/a", O_RDONLY) = -1 EACCES (Permission denied)'],
      false,
    ],
    [
      'by a call that failed',
      ['openat(AT_FDCWD, "/a", O_WRONLY|O_CREAT|O_TRUNC, 0644) = -1 EACCES (Permission denied)'],
      false,
    ],
    ['where it is only emptied', ['openat(AT_FDCWD, "/a", O_WRONLY|O_TRUNC) = 3'], false],
    [
      'where a process read it that took longer',
      ['1 openat(AT_FDCWD, "/a", O_RDONLY <unfinished ...>', `2 ${empties}`, '1 <... openat resumed>) = 3'],
      false,
    ],
  ])('by its uses: one %s', (_, lines, replaced) => {
    expect(isReplaced(readTrace(`${lines.join('\n')}\n`))).toBe(replaced);
  });

  it('not where a use of the same file waited for its directory', () => {
    // Without a working directory, the first name counts from where the process turns out to be.
    const waits = 'unlink("a") = 0';
    const placed = 'openat(AT_FDCWD</>, "b", O_RDONLY) = 3</b>';
    expect(isReplaced(readTrace(`${waits}\n${empties}\n${placed}\n`))).toBe(false);
    expect(isReplaced(readTrace(`${empties}\n${waits}\n${placed}\n`))).toBe(false);
  });
});

describe('traces that are merged', () => {
  const [replaced, read, removed, other] = [
    [empties],
    [reads],
    [removes, empties],
    ['stat("/b", {}) = 0'],
  ].map((lines) => readTrace(`${lines.join('\n')}\n`)) as [Trace, Trace, Trace, Trace];

  it('show a replaced file where each of them that has it does', () => {
    expect(isReplaced(mergeTraces([replaced, replaced]))).toBe(true);
    expect(isReplaced(mergeTraces([other, replaced, other]))).toBe(true);
    for (const needs of [read, removed]) {
      expect(isReplaced(mergeTraces([replaced, needs]))).toBe(false);
      expect(isReplaced(mergeTraces([needs, replaced]))).toBe(false);
    }
  });

  it('keep every other use, and are the same in any order', () => {
    const bits = fc.integer({ min: 1, max: 1023 });
    fc.assert(
      fc.property(bits, bits, bits, (one, two, three) => {
        expect(bothUses(one, two)).toBe(bothUses(two, one));
        expect(bothUses(bothUses(one, two), three)).toBe(bothUses(one, bothUses(two, three)));
        expect(bothUses(one, one)).toBe(one);
        expect(bothUses(one, two) | uses.replaced).toBe(one | two | uses.replaced);
        expect((bothUses(one, two) & uses.replaced) !== 0).toBe((one & two & uses.replaced) !== 0);
      }),
    );
  });

  it('need no less than one run behind the other', () => {
    const line = fc.constantFrom(empties, reads, removes, 'stat("/a", {}) = 0', 'chmod("/a", 0600) = 0');
    const lines = fc.array(line, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lines, lines, (one, two) => {
        const [first, second] = [one, two].map((all) => readTrace(`${all.join('\n')}\n`)) as [Trace, Trace];
        const merged = mergeTraces([first, second]);
        expect(isReplaced(merged)).toBe(isReplaced(first) && isReplaced(second));
        const after = readTrace(`${[...one, ...two].join('\n')}\n`);
        if (isReplaced(merged)) expect(isReplaced(after)).toBe(true);
      }),
    );
  });
});

it('two names of one path that are placed show a replaced file where both do', () => {
  const at = (lines: readonly string[]): Record<string, string> =>
    usesOf(placeTrace(readTrace(`${lines.join('\n')}\n`), b('/srv')));
  const here = 'openat(AT_FDCWD, "a", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3';
  const there = 'openat(AT_FDCWD, "/srv/a", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3';
  expect(at([here, there])).toEqual({ 'srv/a': 'write replaced' });
  expect(at([here, 'stat("/srv/a", {}) = 0'])).toEqual({ 'srv/a': 'stat write' });
});

it('a trace file says that a file is replaced, beside the use that earlier readers know', () => {
  const lines = [...writeTrace(readTrace(`${empties}\n`))];
  expect(lines[1]).toBe('{"path":"a","uses":["write","replaced"]}\n');
  expect(isReplaced(readTrace(lines.join('')))).toBe(true);
  const old = '{"ocislim":"trace","version":1}\n{"path":"a","uses":["write"]}\n';
  expect(readTrace(old).paths.get(b('a')) as Uses).toBe(uses.write);
  const twice = `${lines.join('')}{"path":"a","uses":["write","link"]}\n`;
  expect(isReplaced(readTrace(twice))).toBe(false);
});
