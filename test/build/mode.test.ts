import { describe, expect, test } from 'vitest';
import { changeMode, parseMode } from '../../src/build/mode.ts';

describe('permissions are changed as chmod does', () => {
  test.each<[string, number, boolean, number]>([
    ['755', 0o600, false, 0o755],
    ['0644', 0o777, true, 0o644],
    ['4755', 0o600, false, 0o4755],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o700, false, 0o755],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['a-w', 0o666, false, 0o444],
    ['+x', 0o644, false, 0o755],
    ['go=', 0o777, false, 0o700],
    ['u+s', 0o755, false, 0o4755],
    ['ug-s', 0o6755, false, 0o755],
    ['g=rx', 0o2775, false, 0o755],
    ['+t', 0o777, true, 0o1777],
    ['o+w,o-r', 0o644, false, 0o642],
  ])('by %s', (text, before, isDirectory, after) => {
    expect(changeMode(before, parseMode(text, '--chmod'), isDirectory).toString(8)).toBe(after.toString(8));
  });

  test('no change leaves a mode as it is', () => expect(changeMode(0o1234, null, false)).toBe(0o1234));

  test.each(['', '99', '8888', 'u', 'u=z', 'rwx', 'u=r;g=w'])('%j is refused', (text) => {
    expect(() => parseMode(text, '--chmod')).toThrow(/--chmod takes a mode/);
  });
});
