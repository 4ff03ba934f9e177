import { expect, test } from 'vitest';
import { comparePackages, type SizedPackage } from '../../../src/analyze/diff/packages.ts';
import { utf8Bytes } from '../../../src/bytes/bytes.ts';

function packages(...list: string[]): SizedPackage[] {
  return list.map((text) => {
    const [kind, name = '', version = null] = text.split(' ');
    return { kind: kind as SizedPackage['kind'], name: utf8Bytes(name), version, bytes: text.length };
  });
}

function lines(before: string[], after: string[]): string[] {
  const changes = comparePackages(packages(...before), packages(...after));
  return changes.map(({ kind, name, change, a, b }) => `${change} ${kind} ${name} ${a} ${b}`);
}

test('packages are added, removed, and go up and down', () => {
  expect(
    lines(
      ['dpkg curl 7.9-1', 'dpkg gone 1', 'dpkg libc6 2.36-9', 'node same 1.0.0', 'apk odd one'],
      ['dpkg curl 7.10-1', 'dpkg libc6 2.36-9~1', 'node same 1.0.0', 'python new 3', 'apk odd two'],
    ),
  ).toEqual([
    'changed apk odd one two',
    'upgraded dpkg curl 7.9-1 7.10-1',
    'removed dpkg gone 1 null',
    'downgraded dpkg libc6 2.36-9 2.36-9~1',
    'added python new null 3',
  ]);
});

test('the same package in several versions: equal ones are no change, the others pair from the highest down', () => {
  expect(lines(['node a 1.0.0', 'node a 2.0.0'], ['node a 2.0.0', 'node a 1.1.0'])).toEqual([
    'upgraded node a 1.0.0 1.1.0',
  ]);
  expect(lines(['node a 1.0.0', 'node a 1.0.0'], ['node a 1.0.0'])).toEqual(['removed node a 1.0.0 null']);
  expect(lines(['node a 1.0.0', 'node a 3.0.0'], ['node a 3.1.0'])).toEqual([
    'upgraded node a 3.0.0 3.1.0',
    'removed node a 1.0.0 null',
  ]);
});

test('one name is one package of each manager, and a version may be unknown', () => {
  expect(lines(['python a 1'], ['node a 1'])).toEqual(['added node a null 1', 'removed python a 1 null']);
  expect(lines(['python a'], ['python a 2'])).toEqual(['changed python a null 2']);
});
