import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands/all.ts';
import { vocabularyOf } from '../../src/cli/completion/vocabulary.ts';
import { listOptions } from '../../src/settings/option.ts';
import { completed, completionsIn } from '../support/completion.ts';

describe('bash', () => {
  test.each(completed)('completes "ocislim %s"', async (line, words) => {
    expect(await completionsIn('bash', line)).toEqual(words);
  });

  test.each([
    ['squash --compression=z', ['zstd']],
    ['squash --compression=', ['gzip', 'zstd', 'none']],
    ['prune --preset docs,apt-li', ['docs,apt-lists']],
    // What follows is bash's own: files.
    ['squash ', []],
    ['trace show ', []],
    ['squash --report ', []],
    ['nonsense ', []],
  ])('completes "ocislim %s" as its own rules for words ask', async (line, words) => {
    expect(await completionsIn('bash', line)).toEqual(words);
  });
});

test('completion knows every command, every option, and every choice of a value', async () => {
  const vocabulary = await vocabularyOf(commands);
  for (const { name, options } of commands) {
    const known = vocabulary.find((each) => each.name === name)?.options ?? [];
    for (const option of listOptions(options)) {
      const found = known.find(({ words }) => words.includes(`--${option.name}`));
      expect(found, `${name} --${option.name}`).toBeDefined();
      if (option.choices !== undefined)
        expect(found?.value).toEqual({ kind: 'words', words: option.choices });
      expect(found?.value === null).toBe(option.type === 'boolean');
    }
  }
});
