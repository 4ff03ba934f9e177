/**
 * Looks at what stands under the path of a destination before anything is written there: links are followed, since what they lead
 * to is meant and the link itself stays. Places and commands call it.
 */
import type { StatsBase } from 'node:fs';
import { readlink, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { OcislimError } from '../errors.ts';
import { fileError, systemCode } from './file-error.ts';

/** Links from one to the next, as many as Linux follows. */
const maxLinks = 40;

/** What a path leads to; `absent` where nothing is there yet. */
export type FileKind = 'absent' | 'file' | 'folder' | 'pipe' | 'socket' | 'device' | 'disk';

/** What stands under a path. */
export interface FoundFile {
  /** The path to write to, links followed. */
  readonly path: string;
  readonly kind: FileKind;
  /** The same for all paths of one file: hard links too. Null for what is absent. */
  readonly identity: string | null;
}

const names: Readonly<Record<FileKind, string>> = {
  absent: 'absent',
  file: 'a file',
  folder: 'a folder',
  pipe: 'a named pipe',
  socket: 'a socket',
  device: 'a device',
  disk: 'a block device',
};

/** Follows the links of a path. @throws IO, for links in a circle too */
export async function findFile(path: string): Promise<FoundFile> {
  try {
    const found = await stat(path, { bigint: true });
    const kind = kindOf(found);
    const real = kind === 'file' || kind === 'folder' ? await realpath(path).catch(() => path) : path;
    return { path: real, kind, identity: `${found.dev}:${found.ino}` };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError(`write ${path}`, error);
    return { path: await endOfLinks(path), kind: 'absent', identity: null };
  }
}

/** Refuses to write to what is there, unless it has one of the kinds. @throws IO */
export function requireKind({ path, kind }: FoundFile, wanted: readonly FileKind[], advice?: string): void {
  if (wanted.includes(kind)) return;
  throw new OcislimError(
    'IO',
    `cannot write ${path}: it is ${names[kind]}`,
    advice === undefined ? {} : { advice },
  );
}

/** Says what a name stands for: "a folder", "a symbolic link". The caller does not follow links (lstat). */
export function describeKind(stats: StatsBase<bigint> | StatsBase<number>): string {
  return stats.isSymbolicLink() ? 'a symbolic link' : names[kindOf(stats)];
}

function kindOf(stats: StatsBase<bigint> | StatsBase<number>): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  if (stats.isFIFO()) return 'pipe';
  if (stats.isSocket()) return 'socket';
  return stats.isBlockDevice() ? 'disk' : 'device';
}

/** Returns where the links of a path end, at a file that does not exist yet. */
async function endOfLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links < maxLinks; links++) {
    const target = await readlink(at).catch(() => null);
    if (target === null) return at;
    // The folder of a link may be behind links itself, from which ".." leads elsewhere than in the text.
    const folder = await realpath(dirname(at)).catch(() => dirname(at));
    at = isAbsolute(target) ? target : `${folder}/${target}`;
  }
  throw new OcislimError('IO', `cannot write ${path}: its links lead in a circle`, {
    advice: 'Name the file or folder itself.',
  });
}
