/**
 * Keeps packed documents free of dead links. A document of the checkout links to files that are not packed, such as tests; in a package
 * such a link leads to the repository, or is plain text as long as package.json names no repository.
 */
import { posix } from 'node:path';
import type { ReleaseFile } from './files.ts';

/** A link in Markdown: `[text](target)`, also of a picture. Links in code blocks are not told apart: they would be examples. */
const pattern = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)/g;

/** Lists the relative links of a document, as paths in the package, each without its anchor. */
export function relativeLinks({ path, bytes }: ReleaseFile): readonly string[] {
  return [...Buffer.from(bytes).toString().matchAll(pattern)]
    .map(([, , , target = '']) => targetOf(path, target))
    .filter((target) => target !== null);
}

/** Returns the path that a relative link leads to; null for an address and for an anchor of the same document. */
function targetOf(path: string, target: string): string | null {
  if (/^(?:[a-z][a-z+.-]*:|#|\/)/i.test(target)) return null;
  return posix.join(posix.dirname(path), target.replace(/#.*$/, ''));
}

/**
 * Rewrites the links of the documents among some files that lead to none of the others.
 * @param repository the address of the repository; null where it is not known
 */
export function withoutDeadLinks(
  files: readonly ReleaseFile[],
  repository: string | null,
): readonly ReleaseFile[] {
  const there = new Set(files.flatMap(({ path }) => [path, ...foldersAbove(path)]));
  return files.map((file) => {
    if (!file.path.endsWith('.md')) return file;
    const text = Buffer.from(file.bytes).toString();
    const mended = text.replaceAll(pattern, (whole, mark: string, words: string, target: string) => {
      const path = targetOf(file.path, target);
      if (path === null || there.has(path.replace(/\/$/, ''))) return whole;
      if (repository === null) return mark === '' ? words : '';
      const anchor = /#.*$/.exec(target)?.[0] ?? '';
      return `${mark}[${words}](${repository}/blob/HEAD/${path}${anchor})`;
    });
    return mended === text ? file : { ...file, bytes: Buffer.from(mended) };
  });
}

function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}
