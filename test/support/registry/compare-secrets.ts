import { expect } from 'vitest';
import { Secret } from '../../../src/registry/auth/secret.ts';

/** Makes `toEqual` of the calling test file compare secrets by their text, which is hidden from it otherwise. */
export function compareSecrets(): void {
  expect.addEqualityTesters([
    (a: unknown, b: unknown) => {
      if (a instanceof Secret && b instanceof Secret) return a.equals(b);
      return a instanceof Secret || b instanceof Secret ? false : undefined;
    },
  ]);
}
