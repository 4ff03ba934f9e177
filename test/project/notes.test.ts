import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const notes = readFileSync(new URL('spec-notes/README.md', root), 'utf8');
const numbers = [...notes.matchAll(/^### (SN-\d{3}) /gm)].map((match) => match[1] as string);
const held = notes
  .split(/^### /m)
  .slice(1)
  .map((note): [string, string] => [note.slice(0, 6), note]);

it('findings are numbered without gaps', () => {
  expect(numbers).toEqual(numbers.map((_, i) => `SN-${String(i + 1).padStart(3, '0')}`));
  expect(numbers.length).toBeGreaterThan(30);
});

it.each(held)('%s names tests that exist', (_, note) => {
  const tests = [...note.matchAll(/\]\(\.\.\/(test\/[^)]+)\)(?: “([^”]+)”)?/g)];
  expect(tests.length).toBeGreaterThan(0);
  for (const [, file = '', title = ''] of tests)
    expect(readFileSync(new URL(file, root), 'utf8')).toContain(title);
});

it('the files that the documents link to exist', () => {
  for (const document of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']) {
    const text = readFileSync(new URL(document, root), 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      expect(() => readFileSync(new URL(link, root)), `${document}: ${link}`).not.toThrow();
  }
});
