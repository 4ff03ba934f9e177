import { mergeStack, type Filesystem } from '../src/rootfs/filesystem.ts';
import { buildStack } from '../src/changeset/stack.ts';
import { Gatherer } from '../src/layers/read/gather.ts';
import { scanTar } from '../src/layers/read/scan-tar.ts';
import { contentProbe } from '../src/closure/close-image.ts';
import type { FileFacts } from '../src/rootfs/facts/facts.ts';
import { mergeFacts } from '../src/rootfs/facts/merged-facts.ts';
import { type EntrySpec, writeTar } from '../test/support/model/tar-bytes.ts';
import { inChunks } from './target.ts';
import { MiB } from '../src/units.ts';

const mark = /^@@ ([^\n\0]{1,200})\n/gm;

/**
 * Joins files into one input: `@@ PATH` on a line before each; `@@ PATH -> TARGET` is a symlink, `@@ PATH/` a
 * directory.
 */
export function joinFiles(files: Readonly<Record<string, string>>): Uint8Array {
  const texts = Object.entries(files).map(([path, text]) => `@@ ${path}\n${text}\n`);
  return Buffer.from(texts.join(''), 'latin1');
}

function splitFiles(bytes: Uint8Array): Map<string, Uint8Array> {
  const text = Buffer.from(bytes).toString('latin1');
  const marks = [...text.matchAll(mark)];
  return new Map(
    marks.map((found, i) => {
      const start = found.index + found[0].length;
      const end = marks[i + 1]?.index ?? text.length;
      return [found[1] as string, Buffer.from(text.slice(start, end).replace(/\n$/, ''), 'latin1')];
    }),
  );
}

/** Scans an image of these files. Programs are those in a directory called bin. @throws what a scan throws */
export async function imageOf(
  files: ReadonlyMap<string, Uint8Array>,
): Promise<{ readonly fs: Filesystem; readonly facts: FileFacts }> {
  const entries = [...files].map(([path, body]): EntrySpec => {
    const [name = '', linkname] = path.split(' -> ', 2);
    if (linkname !== undefined) return { name, type: 'symlink', linkname };
    if (name.endsWith('/')) return { name, type: 'dir' };
    return { name, body, mode: /(?:^|\/)s?bin\//.test(name) ? 0o755 : 0o644 };
  });
  const gatherer = new Gatherer({ probe: contentProbe, digests: false, twins: false });
  const index = await scanTar(inChunks(writeTar(entries), MiB), gatherer);
  const indexes = new Map([[1, index]]);
  const fs = mergeStack(buildStack(indexes), indexes);
  return { fs, facts: mergeFacts(fs, new Map([[1, gatherer.facts()]])) };
}

export async function imageOfInput(bytes: Uint8Array): ReturnType<typeof imageOf> {
  return imageOf(splitFiles(bytes));
}
