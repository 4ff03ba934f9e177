/**
 * Says what the entry of a file of this machine is: its name in the layer, and its attributes as an addition wants them. `write-files.ts`
 * makes heads of it.
 */
import { readlinkSync } from 'node:fs';
import { readByteString } from '../bytes/bytes.ts';
import { baseOf, type Path } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import { fileError } from '../files/file-error.ts';
import type { Addition } from '../image/addition.ts';
import type { HeadAttributes, HeadKind, NewHead, Time, Xattr } from '../tar/new-head.ts';
import { changeMode } from './mode.ts';
import { type FoundFile, placeName } from './walk.ts';

type Wishes = Pick<Addition, 'owner' | 'mode' | 'mtime'>;

/** Returns the attributes of an entry, whatever its kind. */
export function attributesOf(
  { kind, stats }: FoundFile,
  name: Path,
  { owner, mode, mtime }: Wishes,
  xattrs: readonly Xattr[],
): HeadAttributes {
  const own = Number(stats.mode) & 0o7777;
  return {
    name,
    mode: kind === 'symlink' ? 0o777 : changeMode(own, mode, kind === 'directory'),
    uid: owner?.uid ?? Number(stats.uid),
    gid: owner?.gid ?? Number(stats.gid),
    mtime: mtime ?? timeOf(stats.mtimeNs),
    xattrs,
  };
}

/** Returns what the entry of a file without contents is of its kind; null for a socket, which no layer holds. @throws IO */
export function kindOf(file: FoundFile): Exclude<HeadKind, { kind: 'file' }> | null {
  const { kind, place, stats } = file;
  switch (kind) {
    case 'directory':
    case 'fifo':
      return { kind };
    case 'symlink':
      return { kind, link: readTarget(place) };
    case 'char':
    case 'block':
      return { kind, ...deviceOf(stats.rdev) };
    case 'file':
      throw new OcislimError('INTERNAL', 'a file has contents');
    case 'socket':
      return null;
  }
}

/** Makes the head of a directory that leads to what is added. */
export function madeDirectory(name: Path, { owner, madeTime }: Addition): NewHead {
  const { uid, gid } = owner ?? { uid: 0, gid: 0 };
  return { kind: 'directory', name, mode: 0o755, uid, gid, mtime: madeTime };
}

/**
 * Refuses a name that removes something from layers below (image-spec layer.md, "Whiteouts"). @throws LAYER_INVALID
 */
export function refuseWhiteout({ place, kind, stats }: FoundFile, name: Path): void {
  const isMark = kind === 'char' && stats.rdev === 0n;
  if (!isMark && !baseOf(name).startsWith('.wh.')) return;
  throw new OcislimError(
    'LAYER_INVALID',
    `${placeName(place)} would remove a file of the layers below: ${isMark ? 'it is a whiteout of overlayfs' : 'its name begins with ".wh."'}`,
    { advice: 'Leave it out with --exclude, or give a whole layer as a tar.' },
  );
}

function readTarget(place: Buffer) {
  try {
    return readByteString(readlinkSync(place, { encoding: 'buffer' }));
  } catch (error) {
    throw fileError(`read ${placeName(place)}`, error);
  }
}

/** Takes a number of Linux apart (makedev(3)). */
function deviceOf(rdev: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((rdev >> 32n) & 0xfffff000n) | ((rdev >> 8n) & 0xfffn)),
    minor: Number(((rdev >> 12n) & 0xffffff00n) | (rdev & 0xffn)),
  };
}

const second = 1_000_000_000n;

function timeOf(nanoseconds: bigint): Time {
  const rest = ((nanoseconds % second) + second) % second;
  return { seconds: Number((nanoseconds - rest) / second), nanoseconds: Number(rest) };
}
