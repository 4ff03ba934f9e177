import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');
const table = read('spec-notes/threats.md');
const rows = [...table.matchAll(/^\| ([TN]\d+) \| (.+) \| (.+) \|$/gm)].map(
  ([, number = '', threat = '', held = '']) => ({
    number,
    threat,
    held,
  }),
);
const tests = readdirSync(new URL('test', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => read(`test/${name}`));
/** The numbers that titles begin with: `T4: …`, `T1, T2: …`. */
const numbered = new Set(
  tests.flatMap((text) =>
    [...text.matchAll(/['"`]([TN]\d+(?:, [TN]\d+)*): /g)].flatMap(([, numbers = '']) => numbers.split(', ')),
  ),
);

it('the table of threats has each number once, in order', () => {
  const numbers = (letter: string, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
  expect(rows.map(({ number }) => number)).toEqual([...numbers('T', 21), ...numbers('N', 22)]);
});

it.each(rows.map(({ number, held }) => [number, held]))(
  '%s has a test whose title begins with it, or cannot apply',
  (number, held) => {
    if (held.startsWith('cannot apply:')) return;
    expect([...numbered]).toContain(number);
  },
);

it('every number that a title begins with is a threat', () => {
  const known = new Set(rows.map(({ number }) => number));
  expect([...numbered].filter((number) => !known.has(number))).toEqual([]);
});

const promises = [...read('SECURITY.md').matchAll(/^\| (?!promise|---)(.+?) \| (.+) \|$/gm)].map(
  ([, promise = '', held = '']): [string, string] => [promise, held],
);

it('SECURITY.md has its promises in a table', () => {
  expect(promises.length).toBeGreaterThan(15);
});

it.each(promises)('the tests that hold a promise exist: %s', (_, held) => {
  const named = [...held.matchAll(/\]\((test\/[^)]+)\) “([^”]+)”/g)];
  expect(named.length).toBeGreaterThan(0);
  // The cell holds only names of tests, and what stands between them.
  expect(held.replaceAll(/\[[^\]]+\]\(test\/[^)]+\) “[^”]+”/g, '').replaceAll('; ', '')).toBe('');
  for (const [, file = '', title = ''] of named) {
    const titles = [...read(file).matchAll(/(['"`])((?:(?!\1)[^\\\n]|\\.)*)\1/g)].map(([, , text = '']) =>
      text.replaceAll('\\', ''),
    );
    expect(titles, file).toContain(title);
  }
});
