/**
 * The files of an image that is built: plain data, from which the entries of a layer are made. Owners are root unless a file says
 * another one.
 */
import { dirname } from 'node:path/posix';
import { utf8Bytes } from '../../src/bytes/bytes.ts';
import type { NewEntry } from '../../src/tar/writer.ts';

interface Named {
  /** From the root of the image, without a slash before it. */
  readonly path: string;
  /** The number of user and group. Default: 0. */
  readonly owner?: number;
}

/** A file, a directory or a symlink. Modes have all bits that chmod knows. */
export type ImageFile = Named &
  (
    | { readonly kind: 'file'; readonly mode: number; readonly bytes: Uint8Array }
    | { readonly kind: 'directory'; readonly mode: number }
    | { readonly kind: 'symlink'; readonly target: string }
  );

/** Makes a file of a text, for all to read. */
export function textFile(path: string, text: string): ImageFile {
  return { kind: 'file', path, mode: 0o644, bytes: Buffer.from(text) };
}

/**
 * Makes the entries of a layer: sorted by path, so that their order is that of nothing else, with the directories above each file
 * (0755, root) where the files state none. `mtime`: seconds since 1970, for all. Throws an Error for two files of one path.
 */
export function entriesOf(files: readonly ImageFile[], mtime: number): readonly NewEntry[] {
  const all = new Map<string, ImageFile>();
  for (const file of files) {
    if (all.has(file.path)) throw new Error(`two files of the layer are ${file.path}`);
    all.set(file.path, file);
  }
  for (const { path } of files)
    for (let above = dirname(path); above !== '.' && !all.has(above); above = dirname(above))
      all.set(above, { kind: 'directory', path: above, mode: 0o755 });
  return [...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)).map((file) => entryOf(file, mtime));
}

function entryOf(file: ImageFile, mtime: number): NewEntry {
  const { path, owner = 0 } = file;
  const attributes = { name: utf8Bytes(path), uid: owner, gid: owner, mtime };
  switch (file.kind) {
    case 'file':
      return { ...attributes, kind: 'file', mode: file.mode, bytes: file.bytes };
    case 'directory':
      return { ...attributes, kind: 'directory', mode: file.mode };
    case 'symlink':
      return { ...attributes, kind: 'symlink', mode: 0o777, link: utf8Bytes(file.target) };
  }
}
