import { expect, test } from 'vitest';
import { mergeScopes, scopesOf } from '../../../src/registry/auth/scope.ts';

test('the scope of the own repository comes first', () => {
  expect(scopesOf({ repository: 'a/b', actions: 'pull', from: null })).toEqual(['repository:a/b:pull']);
  expect(scopesOf({ repository: 'a/b', actions: 'pull,push', from: 'c' })).toEqual([
    'repository:a/b:pull,push',
    'repository:c:pull',
  ]);
});

test("a challenge's scope comes first, and each resource has one scope with all of its actions", () => {
  expect(mergeScopes('repository:x:pull', ['repository:a:pull,push', 'repository:x:push'])).toEqual([
    'repository:x:pull,push',
    'repository:a:pull,push',
  ]);
  expect(mergeScopes('repository:h:5000/x:pull registry:catalog:*', [])).toEqual([
    'repository:h:5000/x:pull',
    'registry:catalog:*',
  ]);
  expect(mergeScopes(null, ['repository:a:pull'])).toEqual(['repository:a:pull']);
  expect(mergeScopes('nonsense  ', ['repository:a:pull'])).toEqual(['repository:a:pull']);
});
