/**
 * Lists an unpacked root filesystem with Python, and compares two listings. Every attribute that a container can
 * see counts, hard links and times included.
 */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { run } from './programs.ts';

/** One path of an unpacked root filesystem, with every attribute that a container can see. */
interface ListedEntry {
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Nanoseconds since 1970, decimal. */
  readonly mtime: string;
  readonly device: string;
  readonly target: string;
  readonly sha256: string;
  /** `name=hex`, sorted, one on each line. */
  readonly xattrs: string;
  readonly inode: string;
}

/** Entries by path (each byte one character; the root is `''`). */
export type Listing = ReadonlyMap<string, ListedEntry>;

type Line = [
  string,
  string,
  number,
  number,
  number,
  number,
  string,
  number,
  number,
  string,
  string,
  Record<string, string>,
  string,
];

/** Lists a root filesystem. Owners, devices and capabilities are right only for root. */
export async function listRootfs(rootfs: string): Promise<Listing> {
  const script = fileURLToPath(new URL('list-rootfs.py', import.meta.url));
  const output = `${rootfs}.listing`;
  await run('/usr/bin/python3', [script, rootfs], { output });
  const listing = new Map<string, ListedEntry>();
  for await (const line of createInterface({ input: createReadStream(output, 'latin1') })) {
    const [path, type, mode, uid, gid, size, mtime, major, minor, target, sha256, xattrs, inode] = JSON.parse(
      line,
    ) as Line;
    const device = `${major}:${minor}`;
    const attributes = Object.entries(xattrs).map(([name, value]) => `${name}=${value}`);
    listing.set(path, {
      type,
      mode,
      uid,
      gid,
      size,
      mtime,
      device,
      target,
      sha256,
      xattrs: attributes.join('\n'),
      inode,
    });
  }
  await rm(output);
  return listing;
}

const compared = [
  'type',
  'mode',
  'uid',
  'gid',
  'size',
  'mtime',
  'device',
  'target',
  'sha256',
  'xattrs',
] as const;

/**
 * Returns the differences of `actual` from `original` less the `removed` paths, a line each. Without any, the two
 * are equal in every attribute and in their groups of hard links. A removed path must be gone, and everything below
 * it must be removed too.
 */
export function differences(
  original: Listing,
  actual: Listing,
  removed: ReadonlySet<string> = new Set(),
): string[] {
  const found: string[] = [];
  const say = (path: string, what: string): void => {
    found.push(`${JSON.stringify(path)}: ${what}`);
  };
  const originalGroups = linkGroups(original, removed);
  const actualGroups = linkGroups(actual, removed);
  for (const [path, before] of original) {
    const after = actual.get(path);
    if (removed.has(path)) {
      if (after !== undefined) say(path, 'is there, though reported as removed');
      continue;
    }
    if (after === undefined) {
      say(path, `is missing (was a ${before.type})`);
      continue;
    }
    for (const attribute of compared) {
      if (before[attribute] !== after[attribute])
        say(path, `${attribute} was ${before[attribute]}, is ${after[attribute]}`);
    }
    const [linkedBefore, linkedAfter] = [originalGroups.get(before.inode), actualGroups.get(after.inode)];
    if (linkedBefore !== linkedAfter)
      say(path, `was one file with [${linkedBefore ?? ''}], is with [${linkedAfter ?? ''}]`);
  }
  for (const [path, after] of actual) if (!original.has(path)) say(path, `is new (a ${after.type})`);
  return found;
}

/** Returns the sorted names of each inode that has more than one. */
function linkGroups(listing: Listing, without: ReadonlySet<string>): ReadonlyMap<string, string> {
  const names = new Map<string, string[]>();
  for (const [path, { type, inode }] of listing) {
    if (type === 'dir' || without.has(path)) continue;
    const group = names.get(inode);
    if (group === undefined) names.set(inode, [path]);
    else group.push(path);
  }
  const groups = new Map<string, string>();
  for (const [inode, paths] of names)
    if (paths.length > 1)
      groups.set(
        inode,
        paths
          .sort()
          .map((path) => JSON.stringify(path))
          .join(' '),
      );
  return groups;
}
