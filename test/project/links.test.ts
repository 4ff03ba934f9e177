/**
 * Follows every relative link of every Markdown file: its file exists, and so does the heading that it names. Links in code are examples,
 * and are not followed.
 */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { anchorsOf, linksOf } from '../support/pages/markdown.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const elsewhere = [
  'node_modules/**',
  'dist/**',
  'out/**',
  'native/target/**',
  'native/npm/**',
  'coverage/**',
];
const pages = globSync('**/*.md', { cwd: root, exclude: elsewhere }).toSorted();
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** A relative link of a page. */
interface Link {
  readonly page: string;
  readonly written: string;
  /** The file that it names, from the root of the project. */
  readonly file: string;
  /** The heading that it names. Empty: none. */
  readonly anchor: string;
}

const links = pages.flatMap((page): Link[] =>
  linksOf(read(page))
    .filter((written) => !/^[a-z][a-z+.-]*:/i.test(written))
    .map((written) => {
      const [path = '', anchor = ''] = written.split('#');
      return { page, written, file: path === '' ? page : normalize(join(dirname(page), path)), anchor };
    }),
);
const told = ({ page, written }: Link): string => `${page}: ${written}`;

describe('relative links in Markdown', () => {
  it('are many', () => {
    expect(pages.length).toBeGreaterThan(40);
    expect(links.length).toBeGreaterThan(200);
  });

  it('lead to files of the project', () => {
    const inside = ({ file }: Link) => !file.startsWith('..') && existsSync(join(root, file));
    expect(links.filter((link) => !inside(link)).map(told)).toEqual([]);
  });

  it('lead to headings that exist', () => {
    const anchors = new Map(pages.map((page) => [page, anchorsOf(read(page))]));
    const dead = links.filter(({ file, anchor }) => {
      if (anchor === '') return false;
      const page =
        existsSync(join(root, file)) && statSync(join(root, file)).isDirectory()
          ? join(file, 'README.md')
          : file;
      return anchors.get(page)?.has(anchor) !== true;
    });
    expect(dead.map(told)).toEqual([]);
  });

  it('reach every page of the guide from its table of contents', () => {
    const reached = new Set(['docs/README.md']);
    for (const page of reached)
      for (const { file } of links.filter((link) => link.page === page)) {
        const target = pages.includes(join(file, 'README.md')) ? join(file, 'README.md') : file;
        if (target.startsWith('docs/') && target.endsWith('.md')) reached.add(target);
      }
    const missed = pages.filter((page) => page.startsWith('docs/') && !reached.has(page));
    expect(missed, 'Link them from docs/README.md.').toEqual([]);
  });

  it('are recognised beside code, and headings with their marks', () => {
    const text =
      '# A `b`: c?\n\n## A b c\n\n[x](y.md#z) `[no](no)` ![p](q.svg)\n\n```\n[no](no)\n# no\n```\n';
    expect(linksOf(text)).toEqual(['y.md#z', 'q.svg']);
    expect([...anchorsOf(text)]).toEqual(['a-b-c', 'a-b-c-1']);
  });
});
