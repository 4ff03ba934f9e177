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

describe('bash, where "=" is not in COMP_WORDBREAKS,', () => {
  test.each(completed)('completes "ocislim %s" all the same', async (line, words) => {
    expect(await completionsIn('bash', line, false)).toEqual(words);
  });

  test.each([
    ['squash --compression=z', ['--compression=zstd']],
    ['squash --compression=', ['--compression=gzip', '--compression=zstd', '--compression=none']],
    ['squash --compression=zstd --prog', ['--progress']],
    ['squash --progress=p', ['--progress=plain']],
    ['prune --preset=docs,apt-li', ['--preset=docs,apt-lists']],
    ['trace --format=json sh', ['show']],
    ['trace -o x --format=json sh', ['show']],
    ['copy --limit=layer-b', ['--limit=layer-bytes=']],
    ['copy --dry-run=', []],
    ['squash --report=nothing', []],
    ['squash --nonsense=x', []],
  ])('completes "ocislim %s" with the option before the value', async (line, words) => {
    expect(await completionsIn('bash', line, false)).toEqual(words);
  });

  test('completes files and folders behind an option', async () => {
    expect(await completionsIn('bash', 'copy --digestfile=scr', false)).toEqual(['--digestfile=script']);
  });
});

test('bash does not take the value of an option for an argument', async () => {
  expect(await completionsIn('bash', 'trace --format=json sh')).toEqual(['show']);
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
      expect(found?.value === null).toBe(option.type === 'boolean' || option.bare !== undefined);
    }
  }
});
