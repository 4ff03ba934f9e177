import { describe, expect, test } from 'vitest';
import { completed, completionsIn, type Shell } from '../support/completion.ts';

describe.each<Shell>(['zsh', 'fish'])('in %s, the script', (shell) => {
  test.each(completed)('completes "ocislim %s"', async (line, words) => {
    expect((await completionsIn(shell, line)).toSorted()).toEqual(words.toSorted());
  });

  test('completes lists of presets, and files where a file is meant', async () => {
    expect((await completionsIn(shell, 'prune --preset docs,apt-li')).at(-1)).toMatch(/apt-lists$/);
    const files = await completionsIn(shell, 'squash --report ');
    expect(files).toEqual(shell === 'zsh' ? ['files'] : []);
  });
});
