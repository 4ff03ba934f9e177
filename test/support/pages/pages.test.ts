/** The reading of pages is tested by itself: a block that is not found would not be run, and no other test would fail. */
import { describe, expect, test } from 'vitest';
import { blocksOf } from './markdown.ts';
import { missingLine } from './printed.ts';

const fence = '```';

describe('blocks', () => {
  test('have a language, a line and the mark above them', () => {
    const page = [
      `${fence}sh\na\n\nb\n${fence}`,
      `<!-- prints -->\n${fence}text\nc\n${fence}`,
      `*Not run in the tests: needs Docker.*\n\n${fence}sh\nd\n${fence}`,
      `<!-- run by test/x.ts -->\n${fence}sh\ne\n${fence}`,
    ].join('\n\n');
    const found = blocksOf(page).map(({ line, text, needs, isPrinted, heldBy }) => ({
      line,
      text,
      needs,
      isPrinted,
      heldBy,
    }));
    const plain = { needs: null, isPrinted: false, heldBy: null };
    expect(found).toEqual([
      { ...plain, line: 1, text: 'a\n\nb' },
      { ...plain, line: 8, text: 'c', isPrinted: true },
      { ...plain, line: 14, text: 'd', needs: 'Docker' },
      { ...plain, line: 19, text: 'e', heldBy: 'test/x.ts' },
    ]);
  });

  test('are not marked by what stands above other words', () => {
    const page = `*Not run in the tests: needs Docker.*\n\nWords.\n\n${fence}sh\na\n${fence}\n`;
    expect(blocksOf(page)).toMatchObject([{ needs: null }]);
  });

  test('are found in the items of a list', () => {
    const page = `- Words:\n\n  *Not run in the tests: needs Docker.*\n\n  ${fence}sh\n  a\n\n    b\n  ${fence}\n`;
    expect(blocksOf(page)).toMatchObject([{ language: 'sh', text: 'a\n\n  b', needs: 'Docker' }]);
  });

  test('have an end', () => {
    expect(() => blocksOf(`${fence}sh\na\n`)).toThrow('no end');
  });
});

describe('what is printed', () => {
  const output = `layer 1\n  size   1,000 kB   sha256:${'a'.repeat(64)}\nend\n`;

  test.each([
    ['the same lines', 'size 1,000 kB sha256:…\nend'],
    ['lines in between left out', 'layer 1\n…\nend'],
    ['sizes that are nearly the same', 'size 1,020 kB sha256:…'],
  ])('is found for %s', (_, block) => {
    expect(missingLine(block, output)).toBeNull();
  });

  test.each([
    ['another order', 'end\nlayer 1', 'layer 1'],
    ['other words', 'layer one', 'layer one'],
    ['sizes that differ', 'size 1,100 kB sha256:…', 'size 1,100 kB sha256:…'],
  ])('is missed for %s', (_, block, line) => {
    expect(missingLine(block, output)).toBe(line);
  });
});
