import { bytesOf } from './byte-string.ts';
import { applyLayers } from './filesystem.ts';
import { type EntrySpec, type ModelEntry, readTar, writeTar } from './tar-bytes.ts';

/** An entry in short, see {@link layer}, or in full. */
export type Short = string | EntrySpec;

/**
 * Returns a layer in short: `a/` is a directory, `a=text` a file, `a->b` a hard link, `a~>b` a symlink, `|a` a
 * fifo, `a` an empty file or a marker.
 */
export function layer(...entries: Short[]): readonly ModelEntry[] {
  return readTar(writeTar(entries.map(specOf)));
}

/** Returns the tar of a layer in short, see {@link layer}. */
export function tar(...entries: Short[]): Uint8Array {
  return writeTar(entries.map(specOf));
}

/** Returns the entry that a shorthand means. */
export function specOf(short: Short): EntrySpec {
  if (typeof short !== 'string') return short;
  const [, name = '', how, rest = ''] = /^(.*?)(=|->|~>|$)(.*)$/s.exec(short) ?? [];
  if (how === '=') return { name, body: bytesOf(rest) };
  if (how === '->') return { name, type: 'link', linkname: rest };
  if (how === '~>') return { name, type: 'symlink', linkname: rest };
  if (name.startsWith('|')) return { name: name.slice(1), type: 'fifo' };
  return name.endsWith('/') ? { name, type: 'dir' } : { name };
}

/** Returns a root filesystem in short, hard links as `{a b}` after the file; `?` marks an implied directory. */
export function list(...layers: (readonly ModelEntry[])[]): string[] {
  const rootfs = applyLayers(layers);
  const paths = [...rootfs.keys()].filter((path) => path !== '').sort();
  const inodes = new Map<number, string[]>();
  for (const path of paths) {
    const inode = rootfs.get(path)?.inode ?? 0;
    inodes.set(inode, [...(inodes.get(inode) ?? []), path]);
  }
  return paths.map((path) => {
    const node = rootfs.get(path);
    if (node === undefined) return path;
    const names = inodes.get(node.inode) ?? [];
    const links = names.length > 1 ? ` {${names.join(' ')}}` : '';
    if (node.kind === 'dir') return `${path}/${node.implied ? '?' : ''}`;
    if (node.kind === 'symlink') return `${path}~>${node.target}${links}`;
    if (node.kind !== 'file') return `${path} ${node.kind}${links}`;
    const text = node.content.replace(/^\d+ bytes(?: @0 )?/, '');
    return text === '' ? `${path}${links}` : `${path}=${text}${links}`;
  });
}
