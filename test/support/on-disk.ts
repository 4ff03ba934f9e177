/**
 * Reads what is in a folder as the model of a root filesystem: kinds, modes, contents, link targets, times, and which names are one file.
 * The tests of what unpacks compare it with what the layers mean.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { type ByteString, bytesOf, byteString } from './model/byte-string.ts';
import { linkGroups, type Rootfs } from './model/filesystem.ts';
import { readTar, writeTar } from './model/tar-bytes.ts';

/** A file of a folder or a model, in the parts that both tell. */
export interface SeenFile {
  readonly kind: string;
  /** In octal; empty for a symlink, whose mode says nothing. */
  readonly mode: string;
  readonly content: string;
  readonly target: ByteString;
  /** Whole seconds since 1970. Undefined for a folder that no entry described. */
  readonly mtime: number | undefined;
  /** All names of the file, sorted. */
  readonly names: readonly ByteString[];
  /** Numbers of owner and group; empty where these do not count. */
  readonly owner: string;
}

export type Seen = ReadonlyMap<ByteString, SeenFile>;

/** Reads a folder. The folder itself has the empty path. */
export function readFolder(folder: string, { owners = false } = {}): Seen {
  const found: [ByteString, Stats, Buffer][] = [];
  const visit = (path: ByteString): void => {
    const whole = Buffer.concat([Buffer.from(`${folder}/`), bytesOf(path)]);
    const stats = lstatSync(whole);
    found.push([path, stats, whole]);
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(whole, { encoding: 'buffer' }))
      visit(path === '' ? byteString(name) : `${path}/${byteString(name)}`);
  };
  visit('');
  const inodes = Map.groupBy(found, ([, { ino }]) => ino);
  return new Map(
    found.map(([path, stats, whole]) => {
      const names = (inodes.get(stats.ino) ?? []).map(([name]) => name).toSorted();
      return [path, seenFile(stats, whole, names, owners)];
    }),
  );
}

function seenFile(stats: Stats, whole: Buffer, names: readonly ByteString[], owners: boolean): SeenFile {
  const isLink = stats.isSymbolicLink();
  return {
    kind: kindOf(stats),
    mode: isLink ? '' : (stats.mode & 0o7777).toString(8),
    content: stats.isFile() ? contentOf(readFileSync(whole)) : '',
    target: isLink ? byteString(readlinkSync(whole, { encoding: 'buffer' })) : '',
    mtime: Math.floor(stats.mtimeMs / 1000),
    names,
    owner: owners ? `${stats.uid}:${stats.gid}` : '',
  };
}

function kindOf(stats: Stats): string {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'dir';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  return stats.isBlockDevice() ? 'block' : 'char';
}

/** Returns the text of the model for contents: equal for the same bytes, however a tar stores them. */
function contentOf(body: Uint8Array): string {
  return readTar(writeTar([{ name: 'x', body }]))[0]?.content ?? '';
}

/** Returns the model of a root filesystem in the same form, with modes as they are granted. */
export function seenOf(rootfs: Rootfs, grant: (mode: number) => number, { owners = false } = {}): Seen {
  const groups = linkGroups(rootfs);
  return new Map(
    [...rootfs].map(([path, node]): [ByteString, SeenFile] => [
      path,
      {
        kind: node.kind,
        mode: node.kind === 'symlink' ? '' : grant(node.mode).toString(8),
        content: node.content,
        target: node.target,
        mtime: node.mtime === undefined ? undefined : Math.floor(Number(node.mtime)),
        names: groups.get(path) ?? [],
        owner: owners ? `${node.uid}:${node.gid}` : '',
      },
    ]),
  );
}

/** Lists the differences of a folder and of what should be in it, a line each. */
export function differences(actual: Seen, expected: Seen): string[] {
  return [...new Set([...actual.keys(), ...expected.keys()])].toSorted().flatMap((path) => {
    const [is, should] = [actual.get(path), expected.get(path)];
    if (is === undefined || should === undefined)
      return [`${JSON.stringify(path)}: only ${is === undefined ? 'the image' : 'the folder'} has it`];
    return Object.entries(should).flatMap(([key, value]) => {
      const own = is[key as keyof SeenFile];
      // A folder that no entry describes has the time of the work.
      if (value === undefined || JSON.stringify(own) === JSON.stringify(value)) return [];
      return [`${JSON.stringify(path)}: ${key} ${JSON.stringify(own)} ≠ ${JSON.stringify(value)}`];
    });
  });
}
